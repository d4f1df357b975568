import { differences, type Field, type Outcome, type Pair } from './compare.ts';
import { JUSTIFIED } from './justified.ts';
import type { Message } from './wire.ts';

export interface Verdict {
  /** Titles of what was needed to explain every difference. */
  readonly used: readonly string[];
  readonly unexplained: readonly Field[];
}

/** Which of the justified differences explain this one, and what none of them does. */
export function judge(pair: Pair): Verdict {
  let left = differences(pair.ours, pair.theirs);
  const used: string[] = [];
  if (pair.ours.kind !== 'reply' || pair.theirs.kind === 'garbage')
    return { used, unexplained: left };
  const both = { query: pair.query, ours: pair.ours.message, theirs: messageOf(pair.theirs) };
  for (const each of JUSTIFIED) {
    if (left.length === 0) break;
    const explains = left.some((field) => each.fields.includes(field));
    if (!explains || !each.servers.includes(pair.server) || !each.when(both)) continue;
    left = left.filter((field) => !each.fields.includes(field));
    used.push(each.title);
  }
  return { used, unexplained: left };
}

function messageOf(outcome: Outcome): Message | undefined {
  return outcome.kind === 'reply' ? outcome.message : undefined;
}
