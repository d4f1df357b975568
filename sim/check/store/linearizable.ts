/** Something that one process did to an object, as it saw it. */
export interface Operation<Action> {
  /** What was done and, where it was answered, what came back. */
  readonly action: Action;
  /** When it was asked for, in any unit that the whole history shares. */
  readonly calledAt: number;
  /** When the answer came; Infinity: never, so that it may have happened, or happen yet, or not. */
  readonly returnedAt: number;
}

/** An object that does one thing after another: what the real one must look like. */
export interface SequentialObject<State, Action> {
  /** No state is `undefined`. */
  readonly initial: State;
  /** The state afterwards; undefined: in this state the action cannot have gone so. */
  apply(state: State, action: Action): State | undefined;
  /** The same for states that are the same. */
  keyOf(state: State): string;
}

export type Verdict<Action> =
  /** `order`: one order that explains it all; what was never answered may be left out. */
  | { readonly kind: 'linearizable'; readonly order: readonly Operation<Action>[] }
  /** `order`: the longest one that explains a part; `stuck`: what cannot follow it. */
  | {
      readonly kind: 'impossible';
      readonly order: readonly Operation<Action>[];
      readonly stuck: readonly Operation<Action>[];
    }
  /** Too many orders are thinkable to try them all. */
  | { readonly kind: 'unknown' };

/** Steps after which the search is given up. */
const STEPS_MAX = 100_000;

/**
 * Whether a history can be explained by operations that each happened at one moment between call
 * and answer (Herlihy and Wing 1990). Searches the orders as Wing and Gong (1993) do, and tries no
 * set of operations twice in one state (Lowe 2017). Of the same thing that was tried again and again
 * without an answer an earlier try does for a later one. Operations at the same instant overlap.
 *
 * Give it one object's history at a time: a history is linearizable if that of each object is.
 */
export function checkLinearizable<State, Action>(
  object: SequentialObject<State, Action>,
  history: readonly Operation<Action>[],
  { stepsMax = STEPS_MAX }: { readonly stepsMax?: number } = {},
): Verdict<Action> {
  const operations = history.toSorted((a, b) => a.calledAt - b.calledAt);
  const needed = operations.filter(({ returnedAt }) => returnedAt !== Infinity).length;
  const triesBefore = unansweredBefore(operations);
  const seen = new Set<string>();
  const start: Node<State> = {
    state: object.initial,
    done: 0n,
    needed,
    path: undefined,
    length: 0,
  };
  let longest = start;
  const stack = [start];
  for (let steps = 0; steps < stepsMax; steps += 1) {
    const node = stack.pop();
    if (node === undefined) return impossible(operations, longest);
    if (node.needed === 0) return { kind: 'linearizable', order: orderOf(operations, node) };
    if (node.length > longest.length) longest = node;
    // Backwards, so that the first one is tried first: mostly things happen as they are asked for.
    for (const index of candidates(operations, node.done).toReversed()) {
      const operation = operations[index];
      const tryBefore = triesBefore[index];
      if (tryBefore !== undefined && !isDone(node.done, tryBefore)) continue;
      const state = operation && object.apply(node.state, operation.action);
      if (operation === undefined || state === undefined) continue;
      const isIdle = object.keyOf(state) === object.keyOf(node.state);
      if (isIdle && operation.returnedAt === Infinity) continue;
      const done = node.done | (1n << BigInt(index));
      const key = `${done.toString(36)} ${object.keyOf(state)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      stack.push({
        ...{ state, done, path: { index, before: node.path }, length: node.length + 1 },
        needed: node.needed - (operation.returnedAt === Infinity ? 0 : 1),
      });
    }
  }
  return { kind: 'unknown' };
}

interface Node<State> {
  readonly state: State;
  /** A bit for each operation that has happened. */
  readonly done: bigint;
  /** Operations that were answered and have not happened yet. */
  readonly needed: number;
  readonly path: Path | undefined;
  readonly length: number;
}

interface Path {
  readonly index: number;
  readonly before: Path | undefined;
}

/** What may happen next: all that was asked for before any of the others was answered. */
function candidates(operations: readonly Operation<unknown>[], done: bigint): readonly number[] {
  const found: number[] = [];
  let untilAt = Infinity;
  for (const [index, { calledAt, returnedAt }] of operations.entries()) {
    if (calledAt > untilAt) break;
    if (isDone(done, index)) continue;
    found.push(index);
    untilAt = Math.min(untilAt, returnedAt);
  }
  return found;
}

function isDone(done: bigint, index: number): boolean {
  return ((done >> BigInt(index)) & 1n) === 1n;
}

/** For each that was not answered: the last one before it that was the same, and not answered. */
function unansweredBefore(
  operations: readonly Operation<unknown>[],
): readonly (number | undefined)[] {
  const last = new Map<string, number>();
  return operations.map(({ action, returnedAt }, index) => {
    if (returnedAt !== Infinity) return undefined;
    const key = JSON.stringify(action);
    const before = last.get(key);
    last.set(key, index);
    return before;
  });
}

function impossible<State, Action>(
  operations: readonly Operation<Action>[],
  longest: Node<State>,
): Verdict<Action> {
  const stuck = candidates(operations, longest.done).flatMap((index) => operations[index] ?? []);
  return { kind: 'impossible', order: orderOf(operations, longest), stuck };
}

function orderOf<State, Action>(
  operations: readonly Operation<Action>[],
  { path }: Node<State>,
): readonly Operation<Action>[] {
  const order: Operation<Action>[] = [];
  for (let at = path; at !== undefined; at = at.before) {
    const operation = operations[at.index];
    if (operation !== undefined) order.push(operation);
  }
  return order.toReversed();
}

export type RegisterAction<Value> =
  | { readonly kind: 'write'; readonly value: Value }
  | { readonly kind: 'read'; readonly value: Value };

/**
 * An object that holds the value that was written last. A write that was tried several times is
 * several writes, of which all but the last were never answered. A read without an answer says
 * nothing: leave it out.
 */
export function register<Value>(
  initial: Value,
  textOf: (value: Value) => string = String,
): SequentialObject<Value, RegisterAction<Value>> {
  return {
    initial,
    apply: (state, { kind, value }) =>
      kind === 'write' || textOf(state) === textOf(value) ? value : undefined,
    keyOf: textOf,
  };
}
