import type { Condition, Resource } from '../../api/object.ts';

/** The condition Ready, if anybody has looked at the object. */
export function readyOf({ status }: Resource): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/**
 * The conditions that do not hold, each fact once: Ready repeats the first of the others, and others
 * repeat it. Where Ready holds, the others are warnings.
 */
export function problemsOf(object: Resource): readonly Condition[] {
  const bad = (object.status?.conditions ?? []).filter(
    ({ type, status }) => status !== 'True' && !GOOD_WHEN_FALSE.has(type),
  );
  const ready = bad.find(({ type }) => type === 'Ready');
  const others = bad.filter(({ type }) => type !== 'Ready');
  if (ready === undefined) return others;
  const isTold = others.some(({ type, message }) => ready.message === `${type}: ${message}`);
  if (isTold) return others;
  return [ready, ...others.filter(({ reason }) => reason !== ready.reason)];
}

/** What a Repository says beside Ready: the one or the other holds while it is not. */
const GOOD_WHEN_FALSE: ReadonlySet<string> = new Set(['Reconciling', 'Stalled']);

/** Whether what is said of the object is about an older spec than it has. */
export function isBehind({ metadata, status }: Resource): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const observed = ready?.observedGeneration ?? status?.observedGeneration;
  return observed !== undefined && observed < metadata.generation;
}
