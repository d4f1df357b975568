import type { Clock } from '../../../runtime/clock.ts';
import { backoffMs } from '../../../runtime/control/backoff.ts';
import type { Resolver } from '../../../runtime/dns/resolver.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { createTrigger, raisedWithin } from '../../trigger.ts';
import { parseAddress } from '../geo/address.ts';
import { type NameKey, nameText } from '../message/name.ts';
import type { LookUpForeign } from './addresses.ts';

export interface ForeignBookPorts {
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * What other people's servers say of the names that ALIAS records lead to.
 *
 * Guarantees
 * - `lookUp` never waits. What was once learned is kept until it is replaced, however long nobody
 *   can be asked, for as long as the name is wanted.
 * - Each name is asked for before its time is over, at most every `HOLD_S.min` and at least every
 *   `HOLD_S.max` seconds; at most `LOOK_UPS_MAX` at a time, of `NAMES_MAX` names.
 */
export interface ForeignBook {
  readonly lookUp: LookUpForeign;
  /** The names that are wanted from now on, none else; those beyond `NAMES_MAX` are left out. */
  want(names: ReadonlySet<NameKey>): void;
  /** Resolves once every wanted name has been asked for, or after `ms`; `run` must be under way. */
  warm(ms: number): Promise<void>;
  /** Asks, until the signal is aborted. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

/** How long what was learned is used without asking again, whatever its TTL is. */
export const HOLD_S = { min: 30, max: 3600 } as const;
/** After "there is none", which comes without a TTL. */
const HOLD_S_OF_NOTHING = 60;
/** RFC 8767 §4: what is answered with after its time. */
export const STALE_TTL_S = 30;
export const NAMES_MAX = 10_000;
export const LOOK_UPS_MAX = 16;
/** Which part of its time passes before it is asked for again. */
const REFRESH = { from: 0.7, spread: 0.2 } as const;
/** The least time between two looks at all pages. */
const SCAN_MS = 100;
const RETRY = { baseMs: 1_000, capMs: 60_000 };

const NEVER = new AbortController().signal;

interface Learned {
  readonly addresses: readonly Uint8Array[];
  readonly ttlS: number;
  /** On the monotonic clock. */
  readonly endsMs: number;
}

interface Page {
  readonly name: NameKey;
  readonly family: 'A' | 'AAAA';
  learned: Learned | undefined;
  /** When to ask next, on the monotonic clock; `asking`: just now. */
  due: number | 'asking';
  failures: number;
}

export function createForeignBook(ports: ForeignBookPorts): ForeignBook {
  const { clock, log } = ports;
  let pages: ReadonlyMap<string, Page> = new Map();
  /** When something is due next; every page is looked at then. */
  let nextMs = Infinity;
  const changed = createTrigger();
  const asked = createTrigger();

  async function askAndWake(page: Page, underWay: Set<Page>, signal: AbortSignal): Promise<void> {
    await ask(ports, page, signal);
    underWay.delete(page);
    nextMs = Math.min(nextMs, dueOf(page));
    changed.raise();
    asked.raise();
  }

  return {
    lookUp(name, family) {
      const learned = pages.get(keyOf(name, family))?.learned;
      if (learned === undefined) return undefined;
      const { addresses, ttlS, endsMs } = learned;
      const restS = Math.ceil((endsMs - clock.monotonicMs()) / 1000);
      return restS > 0
        ? { addresses, ttlS: Math.min(ttlS, restS), age: 'fresh' }
        : { addresses, ttlS: Math.min(ttlS, STALE_TTL_S), age: 'stale' };
    },
    want(names) {
      const kept = [...names].toSorted().slice(0, NAMES_MAX);
      if (kept.length < names.size) {
        log.error({ names: names.size, kept: kept.length }, 'too many names that ALIAS leads to');
      }
      const next = new Map<string, Page>();
      for (const name of kept) {
        for (const family of ['A', 'AAAA'] as const) {
          const key = keyOf(name, family);
          next.set(key, pages.get(key) ?? newPage(name, family, clock.monotonicMs()));
        }
      }
      pages = next;
      nextMs = clock.monotonicMs();
      changed.raise();
    },
    async warm(ms) {
      const endMs = clock.monotonicMs() + ms;
      const isNew = ({ learned, failures }: Page): boolean =>
        learned === undefined && failures === 0;
      while ([...pages.values()].some(isNew)) {
        const restMs = endMs - clock.monotonicMs();
        if (restMs <= 0) return;
        await raisedWithin(asked, { clock, ms: restMs, signal: NEVER });
      }
    },
    async run(signal) {
      const underWay = new Set<Page>();
      /** Those that are due, the first at the end. */
      let ready: Page[] = [];
      let scannedMs = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        const nowMs = clock.monotonicMs();
        if (nowMs >= Math.max(nextMs, scannedMs + SCAN_MS)) {
          const waiting = [...pages.values()].filter(({ due }) => due !== 'asking');
          ready = waiting.filter((page) => dueOf(page) <= nowMs).toReversed();
          nextMs = Math.min(...waiting.map(dueOf).filter((due) => due > nowMs));
          scannedMs = nowMs;
        }
        while (underWay.size < LOOK_UPS_MAX) {
          const page = ready.pop();
          if (page === undefined) break;
          underWay.add(page);
          // Never rejects.
          void askAndWake(page, underWay, signal);
        }
        // While some are ready, the next one to end wakes us.
        const wakeMs = ready.length > 0 ? Infinity : Math.max(nextMs, scannedMs + SCAN_MS);
        const ms = Math.max(0, wakeMs - nowMs);
        await raisedWithin(changed, { clock, ms, signal }).catch(() => undefined);
      }
      // What is under way ends with the signal.
      while (underWay.size > 0) await changed.wait(NEVER);
    },
  };
}

function keyOf(name: NameKey, family: 'A' | 'AAAA'): string {
  return `${family} ${name}`;
}

function newPage(name: NameKey, family: 'A' | 'AAAA', nowMs: number): Page {
  return { name, family, learned: undefined, due: nowMs, failures: 0 };
}

function dueOf({ due }: Page): number {
  return due === 'asking' ? Infinity : due;
}

/** Never rejects. */
async function ask(ports: ForeignBookPorts, page: Page, signal: AbortSignal): Promise<void> {
  const { resolver, clock, random, log } = ports;
  const name = nameText(page.name);
  page.due = 'asking';
  try {
    const answer = await resolver.addresses(name, page.family, signal);
    const ttlS = Math.max(1, answer.ttlS ?? HOLD_S_OF_NOTHING);
    const holdMs = 1000 * Math.min(HOLD_S.max, Math.max(HOLD_S.min, ttlS));
    const nowMs = clock.monotonicMs();
    page.learned = {
      addresses: bytesOf(answer.addresses, page.family),
      ttlS,
      endsMs: nowMs + holdMs,
    };
    page.failures = 0;
    page.due = nowMs + holdMs * (REFRESH.from + REFRESH.spread * random.next());
  } catch (error) {
    page.failures += 1;
    page.due = clock.monotonicMs() + backoffMs(page.failures, RETRY, random);
    if (page.failures === 1 && !signal.aborted) {
      const { family } = page;
      log.warn({ name, family, error: String(error) }, 'an ALIAS could not be looked up');
    }
  }
}

/** What is no address of the family is left out. In a stated order: servers rotate theirs, and an answer that is the same is to look the same. */
function bytesOf(addresses: readonly string[], family: 'A' | 'AAAA'): readonly Uint8Array[] {
  return addresses
    .map(parseAddress)
    .filter((address) => address !== undefined)
    .filter(({ length }) => length === (family === 'A' ? 4 : 16))
    .toSorted(Buffer.compare);
}
