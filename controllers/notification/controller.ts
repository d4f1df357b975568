import { parseDurationMs } from '../../api/duration.ts';
import type { Event } from '../../api/event.ts';
import { type Notification, wayOf } from '../../api/notification.ts';
import { API_VERSION } from '../../api/object.ts';
import { TEST_REQUESTED } from '../../api/requests.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import type { Controller, Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Random } from '../../runtime/random.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import type { NotificationRecord } from '../../runtime/telling-records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { NotTakenError, pack, send, type Ways } from './deliver.ts';
import { fits } from './filter.ts';
import { type Message, messageOf } from './message.ts';
import {
  type NotificationFacts,
  type NotificationStep,
  planNotification,
  statusOfNotification,
} from './plan.ts';
import { secretOf, withoutSecrets } from './secret.ts';

export interface NotificationPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
  readonly events: EventRecorder;
  readonly ways: Ways;
}

const AUTHOR: Author = { manager: 'notification-controller', user: 'dom' };
const SEND_MS_MAX = 15_000;
const RETRY: BackoffLimits = { baseMs: 5_000, capMs: 600_000 };
/** How long an Event may be on its way to a message. */
const WAITING_MS = 30_000;
const RETRY_AFTER_MS_MAX = 3_600_000;

/**
 * Tells people of Events; a name is a Notification's. How far it has told is in the store, written
 * after each message is taken: a dom that dies in between tells it once more, under the same id, and
 * the one that leads next goes on from there. Nothing waits for it but its own loop.
 */
export function notificationController(ports: NotificationPorts): Controller {
  const work = new Telling(ports);
  return {
    name: 'notification',
    // For they wait for others.
    concurrency: 8,
    affected: (change) => affected(ports.world, change),
    reconcile: (name, signal) => work.reconcile(name, signal),
  };
}

/** By uid, what was sent and could not be written down: not to be sent again by this dom. */
type Unwritten = Map<string, Stored<NotificationRecord>>;

class Telling {
  readonly #ports: NotificationPorts;
  readonly #unwritten: Unwritten = new Map();

  constructor(ports: NotificationPorts) {
    this.#ports = ports;
  }

  async reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const { world, clock } = this.#ports;
    const notification = world.get('Notification', splitName(name));
    const left = leftovers(world, name, notification?.metadata.uid);
    if (left.length > 0 && (await this.#commit(left)) === 'conflict') return 'conflict';
    if (notification === undefined || notification.metadata.deletionTimestamp !== undefined)
      return 'settled';
    const { uid } = notification.metadata;
    const stored = world.record('notification', uid);
    if (stored === undefined) return await this.#begin(notification);
    const unwritten = this.#unwritten.get(uid);
    if (unwritten !== undefined && unwritten.modRevision === stored.modRevision)
      return await this.#write(notification, unwritten);
    this.#unwritten.delete(uid);
    if (stored.value.generation !== notification.metadata.generation) {
      const value = renewed(world, notification, { record: stored.value, nowMs: clock.nowMs() });
      return await this.#write(notification, { ...stored, value });
    }
    const facts = factsOf(this.#ports, notification, stored.value);
    const step = planNotification(facts, clock.nowMs());
    if (step.kind === 'send') return await this.#send(facts, step, stored.modRevision, signal);
    const status = statusOfNotification(facts, clock.nowMs());
    const said = await this.#commit([{ kind: 'status', base: notification, status }]);
    if (said === 'conflict') return 'conflict';
    return step.recheckInMs === Infinity ? 'settled' : { recheckInMs: step.recheckInMs };
  }

  /** What happened before it was there is not told. */
  async #begin(notification: Notification): Promise<Outcome> {
    const { metadata } = notification;
    const position = String(this.#ports.world.revision);
    const test = metadata.annotations?.[TEST_REQUESTED];
    const value: NotificationRecord = {
      ...{ name: qualifiedName(metadata), generation: metadata.generation },
      ...{ position, told: [], sent: 0 },
      ...(test !== undefined && { test }),
    };
    return await this.#write(notification, { value, modRevision: 0n });
  }

  async #send(
    facts: NotificationFacts,
    step: NotificationStep & { readonly kind: 'send' },
    modRevision: bigint,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { clock, ways } = this.#ports;
    const { notification } = facts;
    const pending = step.what === 'test' ? [testEvent(notification, clock.nowMs())] : facts.pending;
    const message = messageOf(notification, pending);
    try {
      const read = secretOf(this.#ports, notification).read;
      const parcel = pack(notification, message, { read, nowMs: clock.nowMs() });
      await withDeadline((over) => send(ways, parcel, over), {
        ...{ clock, ms: SEND_MS_MAX, signal, late: 'no answer' },
      });
    } catch (error) {
      // This dom stops, or leads no more: that says nothing of the other side.
      signal.throwIfAborted();
      return await this.#failed(facts, error, { message, modRevision });
    }
    const record = { value: step.record, modRevision };
    this.#unwritten.set(notification.metadata.uid, record);
    return await this.#write(notification, record);
  }

  async #failed(
    { notification, record, key }: NotificationFacts,
    error: unknown,
    { modRevision }: { readonly message: Message; readonly modRevision: bigint },
  ): Promise<Outcome> {
    const { clock, random, events } = this.#ports;
    const failures = (record.trouble?.failures ?? 0) + 1;
    const asked = error instanceof NotTakenError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(
      backoffMs(failures, RETRY, random),
      Math.min(asked, RETRY_AFTER_MS_MAX),
    );
    const text = withoutSecrets(describeError(error), secretOf(this.#ports, notification).values());
    const trouble = { failures, nextMs: clock.nowMs() + waitMs, error: text, key };
    const outcome = await this.#write(notification, { value: { ...record, trouble }, modRevision });
    if (outcome !== 'conflict')
      events.record({
        ...{ regarding: notification, type: 'Warning', reason: 'NotTaken' },
        message: `a message was not taken: ${text}`,
        source: { component: AUTHOR.manager },
      });
    return outcome;
  }

  /** The record alone: a status that is in the way must not make what was sent be sent again. */
  async #write(
    { metadata }: Notification,
    { value, modRevision }: Stored<NotificationRecord>,
  ): Promise<Outcome> {
    const id = metadata.uid;
    const written = await this.#commit([
      { kind: 'record', record: 'notification', id, value, modRevision },
    ]);
    this.#unwritten.delete(id);
    // The record is news, and calls for a look by itself.
    return written === 'conflict' ? 'conflict' : 'settled';
  }

  async #commit(operations: readonly Operation[]): Promise<'done' | 'conflict'> {
    const { outcome } = await this.#ports.writer.commit(operations, AUTHOR);
    return outcome === 'conflict' ? 'conflict' : 'done';
  }
}

function factsOf(
  ports: Pick<NotificationPorts, 'world' | 'sealer'>,
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
function renewed(
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

function testEvent({ kind, metadata }: Notification, nowMs: number): Event {
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
      ...{ source: { component: AUTHOR.manager }, count: 1, firstTime: time, lastTime: time },
    },
  };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') {
    if (change.record !== 'notification' || change.deleted) return [];
    const name = world.record('notification', change.id)?.value.name;
    return name === undefined ? [] : [name];
  }
  const { object, deleted } = change;
  if (isKind(object, 'Notification')) return [qualifiedName(object.metadata)];
  if (isKind(object, 'Secret')) return users(world, object.metadata);
  if (!isKind(object, 'Event') || deleted) return [];
  return world
    .list('Notification')
    .filter((each) => fits(world, each, object))
    .map(({ metadata }) => qualifiedName(metadata));
}

function users(
  world: World,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): readonly string[] {
  return world
    .list('Notification')
    .filter(({ metadata, spec }) => {
      const way = wayOf(spec);
      return metadata.namespace === namespace && way !== undefined && spec[way]?.secretRef === name;
    })
    .map(({ metadata }) => qualifiedName(metadata));
}

/** Records of earlier Notifications of this name. */
function leftovers(world: World, name: string, uid: string | undefined): readonly Operation[] {
  return world
    .records('notification')
    .filter(([id, { value }]) => value.name === name && id !== uid)
    .map(([id, { modRevision }]) => {
      return { kind: 'record', record: 'notification', id, value: undefined, modRevision };
    });
}
