import { type Notification, wayOf } from '../../api/notification.ts';
import { TEST_REQUESTED } from '../../api/requests.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import type { Controller, Outcome } from '../../runtime/control/controller.ts';
import { type ErrandLimits, Errands } from '../../runtime/control/errands.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Random } from '../../runtime/random.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import type { NotificationRecord } from '../../runtime/telling-records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { NotTakenError, pack, placeOf, send, type Ways } from './deliver.ts';
import { factsOf, NOTIFICATION_MANAGER, renewed, testEvent } from './facts.ts';
import { fits } from './filter.ts';
import { messageOf } from './message.ts';
import { type NotificationFacts, planNotification, statusOfNotification } from './plan.ts';
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

const AUTHOR: Author = { manager: NOTIFICATION_MANAGER, user: 'dom' };
const SEND_MS_MAX = 15_000;
/** Each is a connection. A server that is slow or gone takes only its own room. */
const SENDS: ErrandLimits = { max: 64, ofPlaceMax: 4 };
const RETRY: BackoffLimits = { baseMs: 5_000, capMs: 600_000 };
const RETRY_AFTER_MS_MAX = 3_600_000;

/**
 * Tells people of Events; a name is a Notification's. How far it has told is in the store, written
 * after each message is taken: a dom that dies in between tells it once more, under the same id, and
 * the one that leads next goes on from there. Messages go out beside the loop, so nothing waits for
 * a server but what is for that server.
 */
export function notificationController(ports: NotificationPorts): Controller {
  const work = new Telling(ports);
  return {
    name: 'notification',
    affected: (change) => affected(ports.world, change),
    calls: (look) => work.listen(look),
    reconcile: (name) => work.reconcile(name),
  };
}

/** What sending a message has come to, to be written down. */
interface Sent {
  /** Of the Notification. */
  readonly uid: string;
  readonly record: Stored<NotificationRecord>;
  /** Why it was not taken; undefined: it was. */
  readonly error: string | undefined;
}

class Telling {
  readonly #ports: NotificationPorts;
  /** `undefined`: there was nothing to send by the time it was begun. */
  readonly #sends = new Errands<Sent | undefined>(SENDS);

  constructor(ports: NotificationPorts) {
    this.#ports = ports;
  }

  listen(look: (name: string) => void): () => void {
    return this.#sends.listen(look);
  }

  async reconcile(name: string): Promise<Outcome> {
    const { world, clock } = this.#ports;
    const notification = world.get('Notification', splitName(name));
    const left = leftovers(world, name, notification?.metadata.uid);
    if (left.length > 0 && (await this.#commit(left)) === 'conflict') return 'conflict';
    if (notification === undefined || notification.metadata.deletionTimestamp !== undefined) {
      this.#sends.forget(name);
      return 'settled';
    }
    const { uid, generation } = notification.metadata;
    const stored = world.record('notification', uid);
    if (stored === undefined) return await this.#begin(notification);
    // Its outcome is written over the record that it was begun from.
    if (this.#sends.isOut(name)) return 'settled';
    const sent = this.#sends.result(name);
    if (sent?.uid === uid && sent.record.modRevision === stored.modRevision)
      return await this.#note(notification, sent);
    this.#sends.forget(name);
    if (stored.value.generation !== generation) {
      const value = renewed(world, notification, { record: stored.value, nowMs: clock.nowMs() });
      return await this.#write(notification, { ...stored, value });
    }
    const facts = factsOf(this.#ports, notification, stored.value);
    const step = planNotification(facts, clock.nowMs());
    if (step.kind === 'send') {
      this.#send(name, facts);
      return 'settled';
    }
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

  #send(name: string, { notification, record }: NotificationFacts): void {
    const { read } = secretOf(this.#ports, notification);
    this.#sends.send(name, {
      place: placeOf(notification, read),
      isDoubtful: record.trouble !== undefined,
      work: (signal) => this.#deliver(name, signal),
    });
  }

  /** It may have waited for room, so all is read anew. */
  async #deliver(name: string, signal: AbortSignal): Promise<Sent | undefined> {
    const { world, clock, ways } = this.#ports;
    const notification = world.get('Notification', splitName(name));
    const stored = notification && world.record('notification', notification.metadata.uid);
    if (notification === undefined || stored === undefined) return undefined;
    if (stored.value.generation !== notification.metadata.generation) return undefined;
    const facts = factsOf(this.#ports, notification, stored.value);
    const step = planNotification(facts, clock.nowMs());
    if (step.kind !== 'send') return undefined;
    const pending = step.what === 'test' ? [testEvent(notification, clock.nowMs())] : facts.pending;
    const { uid } = notification.metadata;
    const { modRevision } = stored;
    try {
      const { read } = secretOf(this.#ports, notification);
      const message = messageOf(notification, pending);
      const parcel = pack(notification, message, { read, nowMs: clock.nowMs() });
      await withDeadline((over) => send(ways, parcel, over), {
        ...{ clock, ms: SEND_MS_MAX, signal, late: 'no answer' },
      });
      return { uid, record: { value: step.record, modRevision }, error: undefined };
    } catch (error) {
      // This dom stops, or leads no more: that says nothing of the other side.
      signal.throwIfAborted();
      const value = this.#troubled(facts, error);
      return { uid, record: { value, modRevision }, error: value.trouble?.error };
    }
  }

  #troubled({ notification, record, key }: NotificationFacts, error: unknown): NotificationRecord {
    const { clock, random } = this.#ports;
    const failures = (record.trouble?.failures ?? 0) + 1;
    const asked = error instanceof NotTakenError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(
      backoffMs(failures, RETRY, random),
      Math.min(asked, RETRY_AFTER_MS_MAX),
    );
    const text = withoutSecrets(describeError(error), secretOf(this.#ports, notification).values());
    const trouble = { failures, nextMs: clock.nowMs() + waitMs, error: text, key };
    return { ...record, trouble };
  }

  /** Until it is seen to be written nothing else is sent. */
  async #note(notification: Notification, { record, error }: Sent): Promise<Outcome> {
    const outcome = await this.#write(notification, record);
    if (outcome !== 'conflict' && error !== undefined)
      this.#ports.events.record({
        ...{ regarding: notification, type: 'Warning', reason: 'NotTaken' },
        message: `a message was not taken: ${error}`,
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
    // The record is news, and calls for a look by itself.
    return written === 'conflict' ? 'conflict' : 'settled';
  }

  async #commit(operations: readonly Operation[]): Promise<'done' | 'conflict'> {
    const { outcome } = await this.#ports.writer.commit(operations, AUTHOR);
    return outcome === 'conflict' ? 'conflict' : 'done';
  }
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
