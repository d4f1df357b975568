import { parseDurationMs } from '../../api/duration.ts';
import type { Event } from '../../api/event.ts';
import type { Notification } from '../../api/notification.ts';
import { API_VERSION } from '../../api/object.ts';
import { TEST_REQUESTED } from '../../api/requests.ts';
import type { World } from '../../runtime/store/world.ts';
import type { NotificationRecord } from '../../runtime/telling-records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { fits } from './filter.ts';
import type { NotificationFacts } from './plan.ts';
import { secretOf } from './secret.ts';

/** Who writes down what was told. */
export const NOTIFICATION_MANAGER = 'notification-controller';
/** How long an Event may be on its way to a message. */
const WAITING_MS = 30_000;

/** All that is decided from. */
export function factsOf(
  ports: { readonly world: World; readonly sealer: Sealer },
  notification: Notification,
  record: NotificationRecord,
): NotificationFacts {
  const { world } = ports;
  const { metadata } = notification;
  const secret = secretOf(ports, notification);
  const test = metadata.annotations?.[TEST_REQUESTED];
  return {
    ...{ notification, record },
    pending: pendingOf(world, notification, record),
    test: test === record.test ? undefined : test,
    key: `${metadata.generation}/${secret.version}`,
    problem: secret.problem(),
  };
}

/**
 * After a change of its spec: what did not fit before, and does now, is not told if it is old. What
 * waits for a message to be taken, or for the interval to be over, still is.
 */
export function renewed(
  world: World,
  { metadata, spec }: Notification,
  { record, nowMs }: { readonly record: NotificationRecord; readonly nowMs: number },
): NotificationRecord {
  const { generation } = metadata;
  if (record.trouble !== undefined) return { ...record, generation };
  const oldMs = nowMs - (parseDurationMs(spec.interval) ?? 0) - WAITING_MS;
  const old = world
    .list('Event')
    .filter((event) => Date.parse(event.spec.lastTime) < oldMs)
    .reduce((last, event) => max(last, revisionOf(event)), BigInt(record.position));
  return { ...record, generation, position: String(old) };
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function revisionOf({ metadata }: Event): bigint {
  return BigInt(metadata.resourceVersion);
}

function pendingOf(
  world: World,
  notification: Notification,
  { position, told }: NotificationRecord,
): readonly Event[] {
  const known = new Set(told);
  const after = BigInt(position);
  return world
    .list('Event')
    .filter((event) => revisionOf(event) > after && !known.has(event.metadata.name))
    .filter((event) => fits(world, notification, event))
    .toSorted((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1));
}

/** What somebody is told who asked for a test. */
export function testEvent({ kind, metadata }: Notification, nowMs: number): Event {
  const { namespace, name, uid, creationTimestamp } = metadata;
  const time = new Date(nowMs).toISOString();
  const request = metadata.annotations?.[TEST_REQUESTED] ?? '';
  return {
    ...{ apiVersion: API_VERSION, kind: 'Event' },
    metadata: {
      // Each test is another message.
      ...{ name: `${name}.test ${request}`, uid, resourceVersion: '0', generation: 1 },
      creationTimestamp,
    },
    spec: {
      regarding: { kind, ...(namespace !== undefined && { namespace }), name, uid },
      ...{ type: 'Normal', reason: 'Test', message: 'a test message that somebody asked for' },
      ...{ source: { component: NOTIFICATION_MANAGER }, count: 1, firstTime: time, lastTime: time },
    },
  };
}
