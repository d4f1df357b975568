import { kindsOf } from '../faults/faults.ts';
import { invariantOf, type Outcome, type Runner } from './outcome.ts';
import { type Changes, changeSetting, type Setting } from './setting.ts';

export interface ShrinkOptions {
  readonly runner: Runner;
  /** Told of each smaller setting that fails in the same way. */
  readonly onSmaller: (setting: Setting) => void;
  /** False: enough time was spent. */
  readonly goesOn: () => boolean;
}

/**
 * Makes a failing run smaller for as long as the same invariant breaks: fewer kinds of faults,
 * machines, people, changes. Greedy: what it ends with cannot lose any one of these.
 */
export async function shrink(
  setting: Setting,
  failure: Outcome,
  { runner, onSmaller, goesOn }: ShrinkOptions,
): Promise<Setting> {
  const invariant = invariantOf(failure);
  let smallest = setting;
  for (let progress = true; progress; ) {
    progress = false;
    for (const changes of smaller(smallest)) {
      if (!goesOn()) return smallest;
      const candidate = changeSetting(smallest, changes);
      const outcome = await runner.run(candidate);
      if (outcome.kind === 'held' || invariantOf(outcome) !== invariant) continue;
      smallest = candidate;
      progress = true;
      onSmaller(smallest);
      break;
    }
  }
  return smallest;
}

/** What could be taken away next, the boldest first. */
function* smaller(setting: Setting): Generator<Changes> {
  const { doms, subs, users, operations, clients, stormMs, leftOut } = setting;
  const kinds = kindsOf(setting.faults);
  if (kinds.length > 0) yield { faults: [] };
  for (const kind of kinds) yield { faults: [kind] };
  for (const kind of kinds) yield { faults: kinds.filter((each) => each !== kind) };
  if (subs > 1)
    yield* [1, 2, 3, subs >> 1, subs - 1]
      .filter((n) => n > 0 && n < subs)
      .map((n) => ({ subs: n }));
  if (doms > 1) yield* [1, doms - 1].map((n) => ({ doms: n }));
  if (users > 1) yield { users: 1 };
  if (operations > 0) yield* [0, operations >> 1, operations - 1].map((n) => ({ operations: n }));
  for (let user = 1; user <= users; user += 1)
    for (let number = operations; number >= 1; number -= 1) {
      const name = `${user}.${number}`;
      if (!leftOut.includes(name)) yield { leftOut: [...leftOut, name] };
    }
  if (clients > 1) yield { clients: 1 };
  if (stormMs > 5_000 && kinds.length > 0) yield { stormMs: stormMs >> 1 };
}
