import type { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject, Position } from '../../proto/gen/b8s/v1/plan.ts';
import { type PlanDigest, planDigest } from '../../runtime/session/plan-digest.ts';
import { encodeObject } from '../../runtime/session/plan-object.ts';
import { SortedMap } from '../../runtime/store/sorted-map.ts';

/** The whole plan of this node, as of one position. */
export interface HeldPlan {
  readonly position: Position;
  /** By plan key, in the order of the keys. */
  readonly objects: ReadonlyMap<string, PlanObject>;
  /**
   * `differed`: dom's digest of this very snapshot is not ours, which happens where one of the two
   * knows fields that the other does not. Deltas on top of it cannot be checked then.
   */
  readonly digestCheck: 'agreed' | 'differed';
}

export type PlanVerdict =
  /** `held` is the same object as before where the plan said nothing new. */
  | { readonly kind: 'applied'; readonly held: HeldPlan }
  /** From dom's past: a slow or deposed dom speaks. To be ignored (INV-14). */
  | { readonly kind: 'stale'; readonly why: string }
  /** Cannot be built upon what is held: dial again and say what is held, or nothing after `mismatch`. */
  | { readonly kind: 'gap'; readonly cause: 'base' | 'mismatch'; readonly why: string };

/**
 * What is held once `plan` has come. Never goes below the position held. A `digestOf` that remembers
 * makes a delta cost what it changes.
 */
export function applyPlan(
  held: HeldPlan | undefined,
  plan: Plan,
  digestOf: PlanDigest = planDigest,
): PlanVerdict {
  const { position } = plan;
  if (position === undefined) return { kind: 'gap', cause: 'base', why: 'a plan has no position' };
  const order = held === undefined ? 1 : comparePositions(position, held.position);
  if (held !== undefined && order < 0) {
    const why = `plan ${positionText(position)} is older than ${positionText(held.position)}`;
    return { kind: 'stale', why };
  }
  if (plan.base === undefined) return applySnapshot(held, { ...plan, position }, digestOf);
  if (held === undefined || comparePositions(plan.base, held.position) !== 0) {
    const holding = held === undefined ? 'nothing' : positionText(held.position);
    const why = `plan ${positionText(position)} builds on ${positionText(plan.base)}, held is ${holding}`;
    return { kind: 'gap', cause: 'base', why };
  }
  if (order === 0) return { kind: 'applied', held };
  return applyDelta(held, { ...plan, position }, digestOf);
}

/** Negative: `a` is before `b`. Epoch first, then revision. */
export function comparePositions(a: Position, b: Position): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.revision !== b.revision) return a.revision < b.revision ? -1 : 1;
  return 0;
}

/** "epoch 3 revision 1042", for people. */
export function positionText(position: Position): string {
  return `epoch ${position.epoch} revision ${position.revision}`;
}

type Positioned = Plan & { readonly position: Position };

/**
 * A snapshot cannot be built wrongly, so it is taken also where the digests differ. One at the
 * position held replaces it only if it says something else: after an upgrade the same plan is sent
 * again, with the fields that the old version could not keep.
 */
function applySnapshot(
  held: HeldPlan | undefined,
  plan: Positioned,
  digestOf: PlanDigest,
): PlanVerdict {
  const objects = SortedMap.from(
    plan.upserts.map((object) => [object.key, keptObject(held, object)] as const),
  );
  const digest = digestOf(objects);
  const digestCheck = plan.digest === '' || plan.digest === digest ? 'agreed' : 'differed';
  if (held !== undefined && comparePositions(plan.position, held.position) === 0) {
    if (digestOf(held.objects) === digest) return { kind: 'applied', held };
  }
  return { kind: 'applied', held: { position: plan.position, objects, digestCheck } };
}

function applyDelta(held: HeldPlan, plan: Positioned, digestOf: PlanDigest): PlanVerdict {
  const objects = changed(held.objects, [plan]);
  const checkable = held.digestCheck === 'agreed' && plan.digest !== '';
  if (checkable && digestOf(objects) !== plan.digest) {
    const why = `plan ${positionText(plan.position)} does not add up to its digest`;
    return { kind: 'gap', cause: 'mismatch', why };
  }
  const { position } = plan;
  return { kind: 'applied', held: { position, objects, digestCheck: held.digestCheck } };
}

/** What is held already stays the same object, so that nobody takes it for new. */
function keptObject(held: HeldPlan | undefined, object: PlanObject): PlanObject {
  const known = held?.objects.get(object.key);
  if (known === undefined) return object;
  return Buffer.compare(encodeObject(known), encodeObject(object)) === 0 ? known : object;
}

/** What the deltas leave alone stays the same object. */
function changed(
  objects: ReadonlyMap<string, PlanObject>,
  deltas: readonly Plan[],
): ReadonlyMap<string, PlanObject> {
  let next = SortedMap.from(objects);
  for (const { removals, upserts } of deltas) {
    const entries = upserts.map((object) => [object.key, object] as const);
    next = next.with({ removals, entries });
  }
  return next;
}

/**
 * The same for deltas that this node took before, in order, and reads back. Undefined: they do not
 * build upon one another.
 */
export function applyTaken(held: HeldPlan, deltas: readonly Plan[]): HeldPlan | undefined {
  let { position } = held;
  for (const delta of deltas) {
    if (delta.base === undefined || delta.position === undefined) return undefined;
    if (comparePositions(delta.base, position) !== 0) return undefined;
    position = delta.position;
  }
  return { ...held, position, objects: changed(held.objects, deltas) };
}
