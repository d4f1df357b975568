import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log, LogFields } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { takeTurns } from '../../runtime/turns.ts';
import type { SiteLines } from '../edge/access-log/recorder.ts';
import type { EdgeSnapshot } from '../edge/snapshot.ts';
import { createTrigger, raisedWithin } from '../trigger.ts';
import { LogFiles, type LogLimits, type LogOwner } from './log-files.ts';

/** A site of this node's plan. */
export interface LoggingSite extends LogOwner {
  /** `off`: nothing more is noted of it; what was is kept. */
  readonly accessLog: 'on' | 'off';
}

export function loggingSites({ sites }: EdgeSnapshot): readonly LoggingSite[] {
  return sites.map(({ uid, namespace, name, options }) => ({
    ...{ uid, namespace, name },
    accessLog: options?.accessLog === undefined ? 'off' : 'on',
  }));
}

export interface LogRequest {
  /** Of the Site. */
  readonly uid: string;
  /** The newest so many lines of those that there are. */
  readonly linesMax: number;
  /** None that are older than so long; 0: of any age. */
  readonly ageMsMax: number;
}

/** Lines that came. */
export interface LogNews {
  /** Without their ends. */
  readonly lines: readonly string[];
  /** So many more there would have been. */
  readonly dropped: number;
}

export type OpenedLog =
  | { readonly kind: 'opened'; readonly lines: readonly string[]; readonly close: () => void }
  /** For a person. */
  | { readonly kind: 'refused'; readonly error: string };

/** What dom is told of access logs. */
export interface LogSource {
  /**
   * What there is and, where `onNews` is given, all that comes from then on, until it is closed: no
   * line is left out in between, and none comes twice.
   */
  open(request: LogRequest, onNews?: (news: LogNews) => void): Promise<OpenedLog>;
}

export interface AccessLogsParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: LogLimits | undefined;
}

/** A disk that fails is complained about no more often. */
const WARN_MS = 60_000;
/** Of logs that could not be removed: nobody waits, and each try looks at the disk again. */
const REMOVE_AGAIN_BACKOFF: BackoffLimits = { baseMs: 1000, capMs: 60_000 };

/** Writes down what edge workers note of requests, and reads it again. */
export class AccessLogs implements LogSource {
  readonly #parts: AccessLogsParts;
  readonly #files: LogFiles;
  readonly #inTurn = takeTurns();
  readonly #followers = new Map<string, Set<(news: LogNews) => void>>();
  /** Raised when sites may be gone. */
  readonly #wanted = createTrigger();
  readonly #warnOfWriting: Warn;
  readonly #warnOfRemoving: Warn;
  #sites: ReadonlyMap<string, LoggingSite> = new Map();
  #dropped = 0;

  constructor(parts: AccessLogsParts) {
    this.#parts = parts;
    this.#files = new LogFiles(parts.disk, parts.limits);
    // Each of them at its own times: a full disk must not hide what stays behind.
    this.#warnOfWriting = warnSeldom(parts, 'access logs could not be written');
    this.#warnOfRemoving = warnSeldom(
      parts,
      'access logs of sites that are gone could not be removed',
    );
  }

  /** Lines that were not written down since this began. */
  get dropped(): number {
    return this.#dropped;
  }

  /** From now on these are the sites of this node; `run` removes what others have left. */
  want(sites: readonly LoggingSite[]): void {
    this.#sites = new Map(sites.map((site) => [site.uid, site]));
    this.#wanted.raise();
  }

  /**
   * Removes the logs of sites that are gone, until `signal` is aborted: at once, and for as long as
   * the disk refuses, again and again. Never rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts;
    for (let failures = 0; ; ) {
      const ms =
        failures === 0
          ? Number.POSITIVE_INFINITY
          : backoffMs(failures, REMOVE_AGAIN_BACKOFF, random);
      try {
        await raisedWithin(this.#wanted, { clock, ms, signal });
      } catch {
        return;
      }
      failures = (await this.#removeOthers()) === 'removed' ? 0 : failures + 1;
    }
  }

  /** Resolves once they are written down, or given up. Never rejects. */
  take(news: readonly SiteLines[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const { uid, text, dropped } of news) await this.#write(uid, text, dropped);
    });
  }

  open(
    { uid, linesMax, ageMsMax }: LogRequest,
    onNews?: (news: LogNews) => void,
  ): Promise<OpenedLog> {
    return this.#inTurn(async () => {
      const site = this.#sites.get(uid);
      if (site === undefined) return refused('this node does not serve the site');
      if (site.accessLog === 'off') return refused('the access log of the site is not on');
      const sinceMs = ageMsMax === 0 ? 0 : this.#parts.clock.nowMs() - ageMsMax;
      const lines = await this.#files.last(site, { linesMax, sinceMs });
      if (onNews === undefined) return { kind: 'opened', lines, close: () => undefined };
      const followers = this.#followers.get(uid) ?? new Set();
      this.#followers.set(uid, followers.add(onNews));
      const close = (): void => {
        followers.delete(onNews);
        if (followers.size === 0 && this.#followers.get(uid) === followers)
          this.#followers.delete(uid);
      };
      return { kind: 'opened', lines, close };
    });
  }

  async #removeOthers(): Promise<'removed' | 'again'> {
    try {
      await this.#inTurn(() => this.#files.keepOnly([...this.#sites.values()]));
      return 'removed';
    } catch (error) {
      this.#warnOfRemoving(error);
      return 'again';
    }
  }

  async #write(uid: string, text: string, dropped: number): Promise<void> {
    const site = this.#sites.get(uid);
    // Noted before it went.
    if (site === undefined) return;
    this.#dropped += dropped;
    try {
      if (text !== '') await this.#files.append(site, text);
    } catch (error) {
      this.#dropped += linesOf(text).length;
      this.#warnOfWriting(error, { dropped: this.#dropped });
    }
    const followers = this.#followers.get(uid);
    if (followers === undefined) return;
    // Who reads along need not know of the disk.
    const news = { lines: linesOf(text), dropped };
    for (const onNews of [...followers]) onNews(news);
  }
}

type Warn = (error: unknown, fields?: LogFields) => void;

function warnSeldom({ clock, log }: Pick<AccessLogsParts, 'clock' | 'log'>, message: string): Warn {
  let warnedMs = Number.NEGATIVE_INFINITY;
  return (error, fields = {}) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - warnedMs < WARN_MS) return;
    warnedMs = nowMs;
    log.warn({ error: String(error), ...fields }, message);
  };
}

/** Each with its end: behind the last one there is nothing. */
function linesOf(text: string): readonly string[] {
  return text.split('\n').slice(0, -1);
}

function refused(error: string): OpenedLog {
  return { kind: 'refused', error };
}
