import type { Node, NodeStatus } from '../../api/node.ts';
import type { Condition } from '../../api/object.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/control/conditions.ts';
import type { ReportRecord, SessionRecord } from '../../runtime/store/records.ts';

export interface NodeFacts {
  readonly node: Node;
  /** This Node's own open session, not a namesake's; undefined: none. */
  readonly session: SessionRecord | undefined;
  /** This Node's own last report. */
  readonly report: ReportRecord | undefined;
}

/** Decides what is said of a machine: whether its session is open, and what it last reported. */
export function planNode(facts: NodeFacts, nowMs: number): NodeStatus {
  const { node, session, report } = facts;
  const lastSeen = lastSeenOf(facts, nowMs);
  const agentVersion = session?.agentVersion ?? node.status?.agentVersion;
  const inputs = [readyOf(facts, lastSeen), ...reportedConditions(facts)].map((input) => ({
    ...input,
    observedGeneration: node.metadata.generation,
  }));
  return {
    observedGeneration: node.metadata.generation,
    conditions: replaceConditions(node.status?.conditions ?? [], inputs, nowMs),
    ...(agentVersion === undefined ? {} : { agentVersion }),
    ...(session === undefined ? {} : { connectedSince: session.connectedSince }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
    ...(report === undefined ? {} : { sites: countSites(report) }),
  };
}

export function readyCondition(status: NodeStatus | undefined): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/**
 * Absent while the session is open: heartbeats renew a lease and are not written down one by one.
 * The moment at which the end of the lease was noticed is the latest that dom can vouch for.
 */
function lastSeenOf({ node, session, report }: NodeFacts, nowMs: number): string | undefined {
  if (session !== undefined) return undefined;
  if (node.status?.lastSeen !== undefined) return node.status.lastSeen;
  const wasSeen = readyCondition(node.status)?.status === 'True' || report !== undefined;
  return wasSeen ? new Date(nowMs).toISOString() : undefined;
}

function readyOf({ node, session }: NodeFacts, lastSeen: string | undefined): ConditionInput {
  const { name } = node.metadata;
  if (session !== undefined) {
    const message = `sub ${session.agentVersion} is connected since ${session.connectedSince}`;
    return { type: 'Ready', status: 'True', reason: 'NodeConnected', message };
  }
  if (lastSeen === undefined) {
    const command = `b8sctl node token create ${name}`;
    const message = `it has never connected: run what "${command}" prints on the machine`;
    return { type: 'Ready', status: 'Unknown', reason: 'NeverConnected', message };
  }
  const message = `its lease ended at ${lastSeen}: see that sub runs on ${name} and reaches dom`;
  return { type: 'Ready', status: 'False', reason: 'NodeSilent', message };
}

/** What the machine says of itself; of a silent one nobody knows whether it still holds. */
function reportedConditions({ session, report }: NodeFacts): readonly ConditionInput[] {
  const reported = new Map((report?.conditions ?? []).map((each) => [each.type, each]));
  reported.delete('Ready');
  return [...reported.keys()].toSorted().flatMap((type): readonly ConditionInput[] => {
    const said = reported.get(type);
    if (said === undefined) return [];
    if (session === undefined) {
      const message = `the node is silent; the last it said: ${said.message}`;
      return [{ type, status: 'Unknown', reason: 'NodeSilent', message }];
    }
    const { reason, message } = said;
    return [{ type, status: said.status ? 'True' : 'False', reason, message }];
  });
}

function countSites({ sites }: ReportRecord): { readonly ready: number; readonly total: number } {
  const ready = sites.filter(
    ({ serving, certificate, error }) => serving !== '' && certificate !== '' && error === '',
  );
  return { ready: ready.length, total: sites.length };
}
