import type { ConditionInput } from '../control/conditions.ts';
import { hasRole, type NodeView } from './node-view.ts';

/** Pure: what is to be said where no nameserver can be waited for; undefined: one is connected. */
export function withoutNameserver(
  nodes: readonly NodeView[],
): Pick<ConditionInput, 'status' | 'reason' | 'message'> | undefined {
  const nameservers = nodes.filter((node) => hasRole(node, 'nameserver'));
  if (nameservers.length === 0) {
    const message = 'no node has the role nameserver: add it to spec.roles of a Node';
    return { status: 'False', reason: 'NoNameservers', message };
  }
  if (nameservers.some(({ connected }) => connected)) return undefined;
  const message = 'no nameserver is connected; they serve the last version that they got';
  return { status: 'Unknown', reason: 'NameserversSilent', message };
}
