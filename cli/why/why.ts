import { since } from '../../api/column.ts';
import { kindOf } from '../../api/kinds.ts';
import type { Condition, Resource } from '../../api/object.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { referenceTo } from '../objects/targets.ts';
import { factsOf } from './facts.ts';
import { linksOf, needsOf } from './links.ts';
import { nextStep, stepForMissing, stepForWaiting } from './next-step.ts';
import { problemsOf, readyOf } from './problems.ts';
import { keyOf, type World } from './world.ts';

/** An object in the chain of causes. */
export interface Cause {
  /** "site/blog" */
  readonly name: string;
  /** How it is, in a few words: "not Ready for 4m". */
  readonly state: string;
  readonly findings: readonly Finding[];
}

/** One thing that does not hold, and what it comes from. */
export interface Finding {
  /** The condition's type; empty: it is no condition. */
  readonly type: string;
  /** CamelCase. */
  readonly reason: string;
  /** What was observed, as a sentence. */
  readonly evidence: string;
  /** For how long it is so; absent: not known. */
  readonly lasting?: string;
  /** What to do; absent: the evidence says it, or the causes do. */
  readonly next?: string;
  readonly causes: readonly Cause[];
  /** Further causes, which are not shown: "12 more nodes". */
  readonly more?: string;
}

export interface Explained {
  readonly cause: Cause;
  /** What must be read to go on; empty: this is all. */
  readonly wanted: readonly ObjectReference[];
}

/** How far a chain is followed. */
const DEPTH_MAX = 8;
/** Causes of one finding that are shown. */
const CAUSES_MAX = 5;

/**
 * Pure: why the object is not ready, down to what a person can act on. What was told already is
 * only named again, so circles end.
 */
export function explainWhy(object: Resource, world: World, nowMs: number): Explained {
  const walk: Walk = { world, nowMs, told: new Set(), wanted: new Map() };
  const cause = causeOf(object, walk, 0);
  return { cause, wanted: [...walk.wanted.values()] };
}

interface Walk {
  readonly world: World;
  readonly nowMs: number;
  readonly told: Set<string>;
  readonly wanted: Map<string, ObjectReference>;
}

function causeOf(object: Resource, walk: Walk, depth: number): Cause {
  const reference = referenceTo(object);
  const [name, state] = [nameOf(reference), stateOf(object, walk.nowMs)];
  const key = keyOf(reference);
  if (walk.told.has(key)) return { name, state: `${state}, see above`, findings: [] };
  walk.told.add(key);
  const conditions = problemsOf(object).map((each) => findingOf(object, each, walk, depth));
  // What was told above is no further reason.
  const untold = needsOf(object).filter((link) => !walk.told.has(keyOf(link)));
  const needs = causesOf(untold, walk, depth);
  const needed: readonly Finding[] =
    needs.causes.length === 0
      ? []
      : [{ type: '', reason: 'Needed', evidence: 'it needs what is not well', ...needs }];
  return { name, state, findings: [...factsOf(object, walk.nowMs), ...conditions, ...needed] };
}

function findingOf(object: Resource, condition: Condition, walk: Walk, depth: number): Finding {
  const { type, reason, message, lastTransitionTime } = condition;
  const found = causesOf(linksOf(object, condition, walk.world.nodes), walk, depth);
  const next = found.causes.length > 0 ? undefined : nextStep(object, condition);
  // A Site repeats what its Certificate says: told once is enough.
  const teller = found.causes.find(({ findings }) =>
    findings.some(({ evidence }) => evidence === message),
  );
  const evidence = teller === undefined ? message : `as ${teller.name} says`;
  const lasting = since(lastTransitionTime, walk.nowMs);
  return { type, reason, evidence, lasting, ...found, ...(next !== undefined && { next }) };
}

/** Of these objects those that are not well, told as far as there is room. */
function causesOf(
  links: readonly ObjectReference[],
  walk: Walk,
  depth: number,
): Pick<Finding, 'causes' | 'more'> {
  if (depth >= DEPTH_MAX) return { causes: [] };
  const blamed = links.filter((link) => isToBlame(link, walk));
  const left = blamed.slice(CAUSES_MAX);
  return {
    causes: blamed.slice(0, CAUSES_MAX).map((link) => linkedCause(link, walk, depth)),
    ...(left.length > 0 && { more: countOf(left) }),
  };
}

function isToBlame(link: ObjectReference, { world, wanted }: Walk): boolean {
  const key = keyOf(link);
  // A node that others wait for is to be looked at, however it calls itself.
  if (link.kind === 'Node') return true;
  if (!world.objects.has(key)) {
    wanted.set(key, link);
    return false;
  }
  const object = world.objects.get(key);
  if (object === undefined) return true;
  // What has no conditions, like a Secret, is well when it is there.
  return readyOf(object)?.status !== 'True' && problemsOf(object).length > 0;
}

function linkedCause(link: ObjectReference, walk: Walk, depth: number): Cause {
  const { world, told } = walk;
  const object = link.kind === 'Node' ? world.nodes.get(link.name) : world.objects.get(keyOf(link));
  if (object === undefined) return missingCause(link);
  const isNew = !told.has(keyOf(link));
  const cause = causeOf(object, walk, depth + 1);
  if (!isNew || link.kind !== 'Node' || cause.findings.length > 0) return cause;
  const next = stepForWaiting(link.name);
  const finding = { type: '', reason: 'Awaited', evidence: 'it is connected', next, causes: [] };
  return { ...cause, findings: [finding] };
}

function missingCause(link: ObjectReference): Cause {
  const next = stepForMissing(link.kind, link.name);
  const evidence = 'there is no such object';
  const finding = { type: '', reason: 'NotFound', evidence, next, causes: [] };
  return { name: nameOf(link), state: 'missing', findings: [finding] };
}

function stateOf(object: Resource, nowMs: number): string {
  const ready = readyOf(object);
  if (ready === undefined) return object.status?.conditions === undefined ? 'there' : 'not Ready';
  const duration = since(ready.lastTransitionTime, nowMs);
  if (ready.status === 'Unknown') return `Ready unknown for ${duration}`;
  return `${ready.status === 'True' ? 'Ready' : 'not Ready'} for ${duration}`;
}

function nameOf({ kind, name }: ObjectReference): string {
  return `${kind.toLowerCase()}/${name}`;
}

function countOf(links: readonly ObjectReference[]): string {
  const kinds = Map.groupBy(links, ({ kind }) => kind);
  const counts = [...kinds].map(([kind, { length }]) => {
    const words = kindOf(kind);
    return `${length} more ${length === 1 ? words?.singular : words?.plural}`;
  });
  return counts.join(', ');
}
