import { hasMachines, sparedMachines } from './machines-of.ts';
import { failureOf, type Outcome, type Runner } from './outcome.ts';
import { type Changes, changeSetting, type Setting } from './setting.ts';
import { weatherKinds } from './weather.ts';

export interface ShrinkOptions {
  readonly runner: Runner;
  /** Told of each smaller setting that fails in the same way. */
  readonly onSmaller: (setting: Setting) => void;
  /** False: enough time was spent. */
  readonly goesOn: () => boolean;
}

/**
 * Makes a failing run smaller for as long as it fails in the same way: fewer kinds of faults, machines,
 * people, changes; no CA, no Git remote, plainer Sites. Greedy: what it ends with cannot lose any one
 * of these.
 */
export async function shrink(
  setting: Setting,
  failure: Outcome,
  { runner, onSmaller, goesOn }: ShrinkOptions,
): Promise<Setting> {
  const before = failureOf(failure);
  let smallest = setting;
  for (let progress = true; progress; ) {
    progress = false;
    for (const changes of smaller(smallest)) {
      if (!goesOn()) return smallest;
      const candidate = changeSetting(smallest, changes);
      const outcome = await runner.run(candidate);
      if (outcome.kind === 'held' || failureOf(outcome) !== before) continue;
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
  const { doms, users, operations, clients, stormMs, aim } = setting;
  const kinds = weatherKinds(setting);
  if (kinds.length > 0) yield { faults: [] };
  // A story needs all that it has asked for.
  if (aim === undefined) yield* fewerParts(setting);
  if (kinds.length > 1) {
    for (const kind of kinds) yield { faults: [kind] };
    for (const kind of kinds) yield { faults: kinds.filter((each) => each !== kind) };
  }
  if (aim === undefined) yield* fewerMachines(setting);
  if (doms > 1) yield* [1, doms - 1].map((n) => ({ doms: n }));
  if (users > 1) yield { users: 1 };
  if (operations > 0) yield* [0, operations >> 1, operations - 1].map((n) => ({ operations: n }));
  yield* fewerOperations(setting);
  if (clients > 1) yield { clients: 1 };
  if (stormMs > 5_000 && kinds.length > 0) yield { stormMs: stormMs >> 1 };
}

function* fewerParts({ ca, git, sites, line, contenders = 0 }: Setting): Generator<Changes> {
  if (ca !== undefined) yield { ca: 0 };
  if (git !== undefined) yield { git: 0 };
  if (sites === 'elaborate') yield { sites: 'plain' };
  if (line === 'poor') yield { line: 'perfect' };
  if (contenders > 0) yield { contenders: 0 };
}

function* fewerMachines(setting: Setting): Generator<Changes> {
  const { subs, leftOut } = setting;
  // Fewer from the end first, for that leaves nothing to say of single ones.
  yield* [1, 2, 3, subs >> 1, subs - 1]
    .filter((n) => n > 0 && n < subs && hasMachines({ ...setting, subs: n }))
    .map((n) => ({ subs: n }));
  for (const name of sparedMachines(setting)) yield { leftOut: [...leftOut, name] };
}

/** First all that concern the CA or Git, then one at a time, the last ones first. */
function* fewerOperations({ users, operations, ca, git, leftOut }: Setting): Generator<Changes> {
  const left = (who: string, count = 0): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${who}.${count - index}`).filter(
      (name) => !leftOut.includes(name),
    );
  const outside = [left('ca', ca?.operations), left('git', git?.operations)];
  for (const names of outside) if (names.length > 1) yield { leftOut: [...leftOut, ...names] };
  const people = Array.from({ length: users }, (_, index) => left(`${index + 1}`, operations));
  for (const name of [...people, ...outside].flat()) yield { leftOut: [...leftOut, name] };
}
