import type { Condition } from '../../api/object.ts';

/** A condition as a plan decides it: when it last changed is for `setCondition` to say. */
export type ConditionInput = Omit<Condition, 'lastTransitionTime'>;

/**
 * Pure: the conditions with one of them set. `lastTransitionTime` moves only when `status` does;
 * the order stays, a new type comes last.
 */
export function setCondition(
  conditions: readonly Condition[],
  input: ConditionInput,
  nowMs: number,
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === input.type);
  const next = { ...input, lastTransitionTime: transitionTime(before, input, nowMs) };
  if (before === undefined) return [...conditions, next];
  return conditions.map((each) => (each === before ? next : each));
}

/** Pure: exactly these conditions, in this order; those of other types are dropped. */
export function replaceConditions(
  conditions: readonly Condition[],
  inputs: readonly ConditionInput[],
  nowMs: number,
): readonly Condition[] {
  return inputs.map((input) => {
    const before = conditions.find(({ type }) => type === input.type);
    return { ...input, lastTransitionTime: transitionTime(before, input, nowMs) };
  });
}

function transitionTime(
  before: Condition | undefined,
  input: ConditionInput,
  nowMs: number,
): string {
  return before?.status === input.status
    ? before.lastTransitionTime
    : new Date(nowMs).toISOString();
}
