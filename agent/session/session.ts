import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Dialer } from '../../runtime/session/dialer.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import { createTrigger } from '../trigger.ts';
import { converse, PlanOverdueError, type SessionHost } from './conversation.ts';

export type SessionState =
  | { readonly phase: 'dialing' }
  | { readonly phase: 'connected' }
  /** Until the next dial; `error` says why the last session ended. */
  | { readonly phase: 'waiting'; readonly error: string };

/** The session with dom, kept up for as long as the node runs. */
export interface Session {
  /** Dials, talks, and dials again. Resolves when `signal` is aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** What the node reports has changed. */
  reportSoon(): void;
  state(): SessionState;
}

export const RECONNECT_BACKOFF: BackoffLimits = { baseMs: 250, capMs: 10_000 };
/** A node that dom will not have needs a person; do not knock more often. */
export const REFUSED_RETRY_MS = 30_000;
/** A session that lived this long says that dom is well: the backoff starts over. */
export const SETTLED_SESSION_MS = 10_000;
/**
 * Each time that dom is there but no plan comes, the next one is waited for twice as long: frames
 * come whole, so that a large one on a narrow way looks like silence, and would for ever.
 */
export const PATIENCE_MAX = 16;
/** Between a dom that did not serve us and the next one. */
export const NEXT_DOM_MS = 100;
export const DIAL_MS_MAX = 10_000;

export interface SessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  readonly host: SessionHost;
}

export function createSession(options: SessionOptions): Session {
  const reportable = createTrigger();
  let state: SessionState = { phase: 'dialing' };

  async function talk(patience: number, signal: AbortSignal): Promise<Ending> {
    try {
      state = { phase: 'dialing' };
      const link = await dial(options, signal);
      state = { phase: 'connected' };
      await converse(link, { ...options, reportable, patience, signal });
      return { reason: 'lost', message: 'dom ended the session' };
    } catch (error) {
      return endingOf(error);
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    const { clock, log } = options;
    let patience = 1;
    for (let failures = 0; !signal.aborted; ) {
      const startMs = clock.monotonicMs();
      const { reason, message } = await talk(patience, signal);
      state = { phase: 'waiting', error: message };
      if (signal.aborted) return;
      const lived = clock.monotonicMs() - startMs >= SETTLED_SESSION_MS;
      failures = lived ? 1 : failures + 1;
      if (reason === 'overdue') patience = Math.min(PATIENCE_MAX, 2 * patience);
      else if (lived) patience = 1;
      const refused = reason === 'refused';
      const waitMs = refused ? REFUSED_RETRY_MS : retryMs(failures, options);
      if (refused) log.error({ error: message, waitMs }, 'dom refuses this node');
      else log.warn({ error: message, waitMs, failures }, 'no session with dom; serving from disk');
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  return { run, reportSoon: () => reportable.raise(), state: () => state };
}

/** Of several doms one leads, and which one is found by asking each; only a vain round waits long. */
function retryMs(failures: number, { dialer, random }: SessionOptions): number {
  const doms = dialer.doms ?? 1;
  if (failures % doms !== 0) return NEXT_DOM_MS;
  return backoffMs(failures / doms, RECONNECT_BACKOFF, random);
}

interface Ending {
  readonly reason: 'refused' | 'lost' | 'overdue';
  readonly message: string;
}

async function dial({ clock, dialer }: SessionOptions, signal: AbortSignal): Promise<Link> {
  let wanted = true;
  try {
    return await withDeadline(
      async (scope) => {
        const link = await dialer.dial(scope);
        // Too late: nobody waits for it any more, and it must not stay open.
        if (!wanted) link.close();
        return link;
      },
      { clock, ms: DIAL_MS_MAX, signal, late: 'dial dom: no answer' },
    );
  } finally {
    wanted = false;
  }
}

function endingOf(error: unknown): Ending {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PlanOverdueError) return { reason: 'overdue', message };
  return { reason: error instanceof LinkClosedError ? error.reason : 'lost', message };
}
