import type { NodePlan, Secondary, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../../runtime/control/backoff.ts';
import type { Datagrams } from '../../../runtime/dns/datagrams.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import type { ZoneOutcome } from '../zone/zone.ts';
import { keysOf } from './book.ts';
import { notifyRequest, rcodeOf } from './notify-message.ts';

/** Several versions that follow one another at once are told of once. */
export const NOTIFY_DELAY_MS = 250;
/** A secondary that has not answered by then is asked again. */
export const NOTIFY_TIMEOUT_MS = 3000;
/** RFC 1996 §3.6 says 60 seconds; the first tries are sooner, for datagrams get lost. */
export const NOTIFY_BACKOFF: BackoffLimits = { baseMs: 2000, capMs: 60_000 };
/** After so many the secondary's own refresh timer must do (RFC 1996 §3.6). */
export const NOTIFY_ATTEMPTS_MAX = 10;
/** Messages that wait for an answer at once. */
export const NOTIFY_CONCURRENT_MAX = 32;

export interface NotifierOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly datagrams: Datagrams;
}

export interface ServedZones {
  /** Those that some may take whole, as they are served now: not one that could not be compiled. */
  readonly zones: readonly ZonePlan[];
  /** Addresses of this node, where secondaries expect the news to come from. */
  readonly from: readonly string[];
}

/**
 * Tells secondaries of new versions (NOTIFY, RFC 1996): each of the zone's, once per version, until
 * it has answered or the bound is reached. What overtakes a version that is still being told takes
 * its place; a start of the node tells everyone once.
 */
export interface Notifier {
  /** Of what is served from now on. */
  served(served: ServedZones): void;
  /** Until `signal` is aborted; then it resolves. */
  run(signal: AbortSignal): Promise<void>;
}

interface Target {
  readonly plan: ZonePlan;
  readonly secondary: Secondary;
  readonly from: readonly string[];
}

/** What is known of one secondary of one zone. */
interface Progress {
  target: Target;
  phase: 'due' | 'told' | 'given up';
  attempts: number;
  /** By the monotonic clock. */
  dueMs: number;
}

export function createNotifier({ clock, random, log, datagrams }: NotifierOptions): Notifier {
  const progress = new Map<string, Progress>();
  const busy = new Set<string>();
  let wake = (): void => undefined;

  function served({ zones, from }: ServedZones): void {
    const targets = targetsOf(zones, from);
    for (const key of progress.keys()) if (!targets.has(key)) progress.delete(key);
    for (const [key, target] of targets) {
      const known = progress.get(key);
      // Its addresses and keys may change without a new version.
      if (known?.target.plan.serial === target.plan.serial) known.target = target;
      else {
        const dueMs = clock.monotonicMs() + NOTIFY_DELAY_MS;
        progress.set(key, { target, phase: 'due', attempts: 0, dueMs });
      }
    }
    wake();
  }

  async function tell(key: string, state: Progress, signal: AbortSignal): Promise<void> {
    const { target } = state;
    const { plan, secondary, from } = target;
    const { address, port } = secondary;
    const request = notifyRequest(plan, {
      id: Buffer.from(random.bytes(2)).readUInt16BE(0),
      key: keysOf({ secondaries: [secondary], addresses: [] })[0],
      nowS: Math.floor(clock.nowMs() / 1000),
    });
    const exchange = { ...{ address, port, from }, ...request, timeoutMs: NOTIFY_TIMEOUT_MS };
    const reply = await datagrams.exchange(exchange, signal);
    state.attempts += 1;
    const fields = { zone: plan.origin, serial: plan.serial, address, port };
    if (reply !== undefined && rcodeOf(reply) === 0) {
      state.phase = 'told';
      log.debug(fields, 'a secondary knows of the new version');
    } else if (state.attempts >= NOTIFY_ATTEMPTS_MAX) {
      state.phase = 'given up';
      const rcode = reply === undefined ? undefined : rcodeOf(reply);
      log.warn({ ...fields, rcode }, 'a secondary does not answer NOTIFY, or refuses it');
    } else {
      state.dueMs = clock.monotonicMs() + backoffMs(state.attempts, NOTIFY_BACKOFF, random);
    }
    busy.delete(key);
    wake();
  }

  async function run(signal: AbortSignal): Promise<void> {
    const telling = new Set<Promise<void>>();
    while (!signal.aborted) {
      const nowMs = clock.monotonicMs();
      const waiting = [...progress].filter(([key, { phase }]) => phase === 'due' && !busy.has(key));
      const due = waiting.filter(([, { dueMs }]) => dueMs <= nowMs);
      for (const [key, state] of due.slice(0, NOTIFY_CONCURRENT_MAX - busy.size)) {
        busy.add(key);
        const done = tell(key, state, signal).finally(() => telling.delete(done));
        telling.add(done);
      }
      const later = waiting.map(([, { dueMs }]) => dueMs).filter((dueMs) => dueMs > nowMs);
      await nextWake(Math.min(...later) - nowMs, signal);
    }
    await Promise.allSettled(telling);
  }

  /** `ms` infinite: until something happens. */
  async function nextWake(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const either = AbortSignal.any([signal, over.signal]);
    const slept = clock.sleep(Number.isFinite(ms) ? ms : LONG_MS, either).catch(() => undefined);
    await Promise.race([woken, slept]);
    over.abort();
  }

  return { served, run };
}

/** Of a plan, the zones that are served as it says and handed on, and where this node is known. */
export function servedZones(
  { zones, nodes }: { readonly zones: readonly ZonePlan[]; readonly nodes: readonly NodePlan[] },
  outcomes: readonly ZoneOutcome[],
  node: string,
): ServedZones {
  const own = nodes.find(({ name }) => name === node);
  const told = zones.filter(({ transfer }) => transfer !== undefined);
  const uids = new Set(told.map(({ uid }) => uid));
  const outcomesOfTold = uids.size === 0 ? [] : outcomes.filter(({ uid }) => uids.has(uid));
  const serials = new Map(outcomesOfTold.map(({ uid, serial }) => [uid, serial]));
  return {
    zones: told.filter(({ uid, serial }) => serials.get(uid) === serial),
    from: own === undefined ? [] : [...own.ipv4, ...own.ipv6],
  };
}

/** Nothing is due: something has to happen first. */
const LONG_MS = 3_600_000;

/** By zone, address and port, in the order of the plan. */
function targetsOf(
  zones: readonly ZonePlan[],
  from: readonly string[],
): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const plan of zones) {
    if (plan.keys.length > 0) continue;
    for (const secondary of plan.transfer?.secondaries ?? []) {
      const key = `${plan.uid} ${secondary.address} ${secondary.port}`;
      // Of two rules for one address, as while a key is changed, the first one is told.
      if (!targets.has(key)) targets.set(key, { plan, secondary, from });
    }
  }
  return targets;
}
