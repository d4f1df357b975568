import { parseDurationMs } from '../../api/duration.ts';
import type { Event } from '../../api/event.ts';
import { type Notification, type NotificationStatus, wayOf } from '../../api/notification.ts';
import { replaceConditions } from '../../runtime/control/conditions.ts';
import type { NotificationRecord } from '../../runtime/telling-records.ts';

/** Events that were told of and may be counted on: beyond that one may be told of twice. */
export const TOLD_MAX = 500;
/** A clock that was ahead when something failed must not hold it up for longer. */
export const TROUBLE_MS_MAX = 3_600_000;

export interface NotificationFacts {
  readonly notification: Notification;
  readonly record: NotificationRecord;
  /** Those that fit, after the record's position and not told of yet, in the order of revisions. */
  readonly pending: readonly Event[];
  /** The test that is asked for and not answered. */
  readonly test: string | undefined;
  /** Of what it is sent with, as in `TryRecord`. */
  readonly key: string;
  /** Why nothing can be sent; undefined: something can. */
  readonly problem: string | undefined;
}

export type NotificationStep =
  | { readonly kind: 'rest'; readonly recheckInMs: number }
  /** `record`: once it is taken. */
  | {
      readonly kind: 'send';
      readonly what: 'events' | 'test';
      readonly record: NotificationRecord;
    };

export function planNotification(facts: NotificationFacts, nowMs: number): NotificationStep {
  const { notification, record, pending, test, key, problem } = facts;
  if (problem !== undefined) return { kind: 'rest', recheckInMs: Infinity };
  if (pending.length === 0 && test === undefined) return { kind: 'rest', recheckInMs: Infinity };
  const { trouble, lastSentMs } = record;
  const leftMs = trouble?.key === key ? trouble.nextMs - nowMs : 0;
  if (leftMs > 0 && leftMs <= TROUBLE_MS_MAX) return { kind: 'rest', recheckInMs: leftMs };
  const { trouble: _, ...rest } = record;
  const taken = { ...rest, sent: record.sent + 1, lastSentMs: nowMs };
  // Who asks for a test waits for it.
  if (test !== undefined) return { kind: 'send', what: 'test', record: { ...taken, test } };
  const intervalMs = parseDurationMs(notification.spec.interval) ?? 0;
  const sinceMs = nowMs - (lastSentMs ?? -Infinity);
  if (sinceMs >= 0 && sinceMs < intervalMs)
    return { kind: 'rest', recheckInMs: intervalMs - sinceMs };
  const names = pending.map(({ metadata }) => metadata.name);
  return {
    kind: 'send',
    what: 'events',
    record: {
      ...taken,
      position: pending.at(-1)?.metadata.resourceVersion ?? record.position,
      told: [...record.told, ...names].slice(-TOLD_MAX),
    },
  };
}

export function statusOfNotification(
  { notification, record, problem }: Omit<NotificationFacts, 'pending' | 'test' | 'key'>,
  nowMs: number,
): NotificationStatus {
  const observedGeneration = notification.metadata.generation;
  const { trouble, lastSentMs, sent } = record;
  const said = saying(notification, record, problem);
  const ready = { type: 'Ready', ...said, observedGeneration };
  return {
    observedGeneration,
    conditions: replaceConditions(notification.status?.conditions ?? [], [ready], nowMs),
    sent,
    ...(lastSentMs !== undefined && { lastSent: new Date(lastSentMs).toISOString() }),
    ...(trouble !== undefined && {
      lastError: trouble.error,
      nextTry: new Date(trouble.nextMs).toISOString(),
    }),
  };
}

function saying(
  { spec }: Notification,
  { trouble, sent }: NotificationRecord,
  problem: string | undefined,
): { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string } {
  if (problem !== undefined) return { status: 'False', reason: 'SecretMissing', message: problem };
  if (trouble !== undefined) {
    const message = `a message was not taken, ${trouble.failures} times in a row: ${trouble.error}`;
    return { status: 'False', reason: 'NotTaken', message };
  }
  const message = `tells by ${wayOf(spec) ?? 'nothing'}; ${sent} messages were taken`;
  return { status: 'True', reason: sent > 0 ? 'Taken' : 'Listening', message };
}
