import type { Node, NodeStatus } from '../../api/node.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import { planNode, readyCondition } from './plan.ts';

const AUTHOR: Author = { manager: 'node-controller', user: 'dom' };

interface NodePorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

/** Keeps the status of each Node, and removes reports that gone ones left; a name is a Node's. */
export function nodeController(ports: NodePorts): Controller {
  return {
    name: 'node',
    affected,
    reconcile: (name) => reconcile(ports, name),
  };
}

function affected(change: WorldChange): readonly string[] {
  if (change.kind === 'object')
    return isKind(change.object, 'Node') ? [change.object.metadata.name] : [];
  return change.record === 'session' || change.record === 'report' ? [change.id] : [];
}

async function reconcile(
  { world, writer, clock, events }: NodePorts,
  name: string,
): Promise<Outcome> {
  const node = world.get('Node', { name });
  const session = world.record('session', name)?.value;
  const report = world.record('report', name);
  const uid = node?.metadata.uid;
  const operations: Operation[] = [];
  if (report !== undefined && report.value.nodeUid !== uid) {
    // Safe though read from the mirror: a Node is there before its first report, uids never come
    // back, and a report of a new Node would have another revision.
    const { modRevision } = report;
    operations.push({ kind: 'record', record: 'report', id: name, value: undefined, modRevision });
  }
  if (node === undefined) return afterWrite(await writer.commit(operations, AUTHOR));
  const facts = {
    node,
    session: session?.nodeUid === uid ? session : undefined,
    report: report?.value.nodeUid === uid ? report?.value : undefined,
  };
  const status = planNode(facts, clock.nowMs());
  operations.push({ kind: 'status', base: node, status });
  const written = await writer.commit(operations, AUTHOR);
  if (written.outcome === 'written') recordTransition(events, node, status);
  return afterWrite(written);
}

function recordTransition(events: EventRecorder, node: Node, status: NodeStatus): void {
  const ready = readyCondition(status);
  if (ready === undefined || ready.status === 'Unknown') return;
  if (ready.status === readyCondition(node.status)?.status) return;
  const { name } = node.metadata;
  const isTrue = ready.status === 'True';
  events.record({
    regarding: node,
    type: isTrue ? 'Normal' : 'Warning',
    reason: ready.reason,
    // Without the time: a node that comes and goes is one Event, counted, not one each time.
    message: isTrue ? `${name} is connected` : `${name} is silent: its lease has ended`,
    source: { component: 'node-controller' },
  });
}
