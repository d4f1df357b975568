import { since } from '../../api/column.ts';
import type { Node } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import { isBehind } from './problems.ts';
import type { Finding } from './why.ts';

/** What explains an object and is no condition of it. */
export function factsOf(object: Resource, nowMs: number): readonly Finding[] {
  return [...deletionFacts(object, nowMs), ...observedFacts(object), ...nodeFacts(object)].map(
    (fact) => ({ ...fact, type: '', causes: [] }),
  );
}

type Fact = Pick<Finding, 'reason' | 'evidence' | 'next'>;

function deletionFacts({ kind, metadata }: Resource, nowMs: number): readonly Fact[] {
  const { deletionTimestamp, finalizers = [], name } = metadata;
  if (deletionTimestamp === undefined) return [];
  const held = finalizers.length === 0 ? 'nothing' : finalizers.join(', ');
  const evidence = `it is being deleted for ${since(deletionTimestamp, nowMs)}, held by ${held}`;
  const next = `b8sctl events --for ${kind.toLowerCase()}/${name}`;
  return [{ reason: 'Deleting', evidence, next }];
}

function observedFacts(object: Resource): readonly Fact[] {
  const { metadata, status } = object;
  // These have no conditions: nobody has to look at them.
  if (['Event', 'Release', 'Secret'].includes(object.kind)) return [];
  const next = 'b8sctl version; if dom answers, its log says what it does';
  if ((status?.conditions ?? []).length === 0)
    return [{ reason: 'NotObserved', evidence: 'dom has not looked at it yet', next }];
  if (!isBehind(object)) return [];
  const known = status?.observedGeneration ?? 0;
  const evidence = `dom knows generation ${known}, and it has ${metadata.generation}: what follows is about the older one`;
  return [{ reason: 'NotObserved', evidence, next }];
}

function nodeFacts(object: Resource): readonly Fact[] {
  if (object.kind !== 'Node' || !(object as Node).spec.unschedulable) return [];
  const evidence = 'it is cordoned, and left out of new answers';
  return [{ reason: 'Cordoned', evidence, next: `b8sctl uncordon ${object.metadata.name}` }];
}
