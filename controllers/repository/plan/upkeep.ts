import type { Drifted, Facts } from '../facts.ts';
import { mendable } from './anothers.ts';
import type { Step } from './plan.ts';

/**
 * What is in force is kept so, whatever is to be said of a commit that comes: one that is refused, or
 * that is still waited for, is no reason to leave what somebody changed as it is.
 */
export function keepUp(facts: Facts, step: Step): Step {
  const { repository, record } = facts;
  const { suspend, driftPolicy } = repository.spec;
  const isWhole = record.attempt === undefined || record.attempt.phase === 'waiting';
  if (step.kind !== 'rest' || suspend || driftPolicy === 'report' || !isWhole) return step;
  const found = mendable(facts);
  return found.length === 0 ? step : putBack(found);
}

export function putBack(found: readonly Drifted[]): Step & { readonly kind: 'correct' } {
  const keys = [...new Set(found.map(({ key }) => key))];
  return { kind: 'correct', keys, drift: found.map(({ drift }) => drift) };
}
