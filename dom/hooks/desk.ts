import { RECONCILE_REQUESTED, type Repository } from '../../api/repository.ts';
import type { Secret } from '../../api/secret.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { RepositoryHookRecord } from '../../runtime/repository-records.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { type ObjectName, objectKey, qualifiedName, recordKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import type { Store } from '../../runtime/store/store.ts';
import { Writer } from '../../runtime/store/writer.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { takeTurns } from '../../runtime/turns.ts';
import { concerns, newsOf } from './push.ts';
import { type HookCall, verifyHook } from './verify.ts';

export interface HookPorts {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export type HookOutcome =
  | { readonly kind: 'asked'; readonly inMs: number }
  /** Nothing to do, and why. */
  | { readonly kind: 'idle'; readonly why: string }
  /** There is no such Repository, it has no webhook, or this is not signed with its secret. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreadable' };

/** So many looks at once, then one in so many milliseconds: what comes in between is one look. */
export const HOOK_BURST = 5;
export const HOOK_EVERY_MS = 3_000;
/** Calls that are remembered of a Repository, to be told when they come again. */
export const HOOK_DELIVERIES_MAX = 128;
/** Writes that lose a race are tried this often. */
const ATTEMPTS_MAX = 8;

/**
 * Takes calls of Git hosts. It asks for a look as `b8sctl reconcile` does, by an annotation in the
 * store; so any dom can take one, whether it leads or not. Nothing of a call but its branch is
 * believed: what is applied is what the leader then fetches.
 *
 * Guarantees: the Secret's value goes nowhere; what is kept of calls has a bound; a flood of genuine
 * calls makes few looks, and the last one of it is not lost while this dom lives.
 * Errors: throws when the store is away.
 */
export class HookDesk {
  readonly #ports: HookPorts;
  readonly #writer: Writer;
  readonly #signal: AbortSignal;
  /** By uid; only of Repositories that were called for. */
  readonly #paces = new Map<string, Pace>();
  readonly #inTurn = takeTurns();

  constructor(ports: HookPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
    // What is asked for is no decision of a leader, so no term fences it: it is written only over
    // what was read.
    this.#writer = new Writer({ ...ports, fence: () => [] });
  }

  async take(
    name: { readonly namespace: string; readonly name: string },
    call: HookCall,
  ): Promise<HookOutcome> {
    const { clock } = this.#ports;
    const repository = await this.#read<Repository>({ kind: 'Repository', ...name });
    const secret = await this.#secretOf(name, repository);
    const verdict = verifyHook(call, secret ?? UNKNOWN, clock.nowMs());
    if (repository === undefined || secret === undefined || verdict.kind === 'refused')
      return { kind: 'refused' };
    const news = newsOf(call);
    if (news.kind === 'unreadable') return { kind: 'unreadable' };
    if (news.kind === 'ping') return { kind: 'idle', why: 'pong' };
    if (news.kind === 'other') return { kind: 'idle', why: `nothing follows from "${news.event}"` };
    if (!concerns(news, repository.spec.ref))
      return { kind: 'idle', why: 'this is not the branch or tag that is followed' };
    if (repository.spec.suspend) return { kind: 'idle', why: 'the Repository is suspended' };
    return await this.#ask(repository, verdict.delivery);
  }

  /** From the record to the place nothing is waited for: two calls never take one place. */
  async #ask(repository: Repository, delivery: string): Promise<HookOutcome> {
    const { clock } = this.#ports;
    const { uid } = repository.metadata;
    const record = await this.#hookRecord(uid);
    const pace = this.#paceOf(uid);
    const isKnown = record?.value.deliveries.includes(delivery) === true;
    if (isKnown || pace.waiting.has(delivery))
      return { kind: 'idle', why: 'this call was taken before' };
    remember(pace, delivery);
    if (pace.phase === 'waiting') return this.#askedAt(pace);
    const nowMs = clock.monotonicMs();
    takePlace(pace, nowMs);
    if (pace.atMs <= nowMs) {
      const outcome = await this.#writeInTurn(repository, pace, 'yield').catch((error: unknown) => {
        // It may come again.
        pace.waiting.delete(delivery);
        throw error;
      });
      if (outcome === 'written') return { kind: 'asked', inMs: 0 };
      pace.atMs = clock.monotonicMs() + YIELD_MS;
    }
    // Another one may have begun to wait meanwhile.
    if (this.#isIdle(pace)) void this.#writeLater(repository, pace);
    return this.#askedAt(pace);
  }

  #askedAt({ atMs }: Pace): HookOutcome {
    return { kind: 'asked', inMs: Math.max(0, atMs - this.#ports.clock.monotonicMs()) };
  }

  #isIdle(pace: Pace): boolean {
    return pace.phase === 'idle';
  }

  /** Until no call is left that was not written; those that come meanwhile are waited for, too. */
  async #writeLater(repository: Repository, pace: Pace): Promise<void> {
    const { clock, log } = this.#ports;
    pace.phase = 'waiting';
    try {
      for (let yields = 0; pace.waiting.size > 0; ) {
        await clock.sleep(Math.max(0, pace.atMs - clock.monotonicMs()), this.#signal);
        const manner = yields < YIELDS_MAX ? 'yield' : 'insist';
        const outcome = await this.#writeInTurn(repository, pace, manner).catch(
          (error: unknown) => {
            if (manner === 'insist') throw error;
            return 'later' as const;
          },
        );
        yields = outcome === 'later' ? yields + 1 : 0;
        if (outcome === 'later') pace.atMs = clock.monotonicMs() + YIELD_MS;
        else if (pace.waiting.size > 0) takePlace(pace, clock.monotonicMs());
      }
    } catch (error) {
      pace.waiting.clear();
      if (this.#signal.aborted) return;
      const { namespace, name } = repository.metadata;
      log.warn({ namespace, name, error: describeError(error) }, 'a webhook was lost');
    } finally {
      pace.phase = 'idle';
    }
  }

  #writeInTurn(repository: Repository, pace: Pace, manner: Manner): Promise<'written' | 'later'> {
    return this.#inTurn(() => this.#write(repository, pace, manner));
  }

  /** The annotation that `b8sctl reconcile` writes, and what calls it is for, in one write. */
  async #write({ metadata }: Repository, pace: Pace, manner: Manner): Promise<'written' | 'later'> {
    const taken = [...pace.waiting];
    const { uid, namespace, name } = metadata;
    for (let attempt = 1; taken.length > 0; attempt += 1) {
      if (attempt > ATTEMPTS_MAX) return 'later';
      const base = await this.#read<Repository>({ kind: 'Repository', namespace, name });
      // Nobody is left to look.
      if (base?.metadata.uid !== uid) break;
      if (manner === 'yield' && isAwaited(base)) return 'later';
      const record = await this.#hookRecord(uid);
      const time = new Date(this.#ports.clock.nowMs()).toISOString();
      const request = `${time}${BY_WEBHOOK}${taken.at(-1) ?? ''}`;
      const annotations = { ...base.metadata.annotations, [RECONCILE_REQUESTED]: request };
      const before = record?.value.deliveries ?? [];
      const deliveries = [...before, ...taken].slice(-HOOK_DELIVERIES_MAX);
      const value: RepositoryHookRecord = { name: qualifiedName(metadata), time, deliveries };
      const { outcome } = await this.#writer.commit(
        [
          { kind: 'replace', base, next: { ...base, metadata: { ...base.metadata, annotations } } },
          {
            ...{ kind: 'record', record: 'repositoryHook', id: uid, value },
            modRevision: record?.modRevision ?? 0n,
          },
        ],
        AUTHOR,
      );
      if (outcome === 'conflict') continue;
      this.#ports.log.info(
        { ...AUTHOR, verb: 'update', kind: 'Repository', namespace, name, uid },
        'audit',
      );
      break;
    }
    for (const delivery of taken) pace.waiting.delete(delivery);
    return 'written';
  }

  #paceOf(uid: string): Pace {
    const known = this.#paces.get(uid);
    if (known !== undefined) return known;
    const made: Pace = { waiting: new Set(), phase: 'idle', fullMs: -Infinity, atMs: 0 };
    if (this.#paces.size >= PACES_MAX) this.#paces.clear();
    this.#paces.set(uid, made);
    return made;
  }

  /** Read also where there is none, so that the time tells no names. */
  async #secretOf(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    repository: Repository | undefined,
  ): Promise<string | undefined> {
    const named = repository?.spec.webhook?.secretRef ?? name;
    const secret = await this.#read<Secret>({ kind: 'Secret', namespace, name: named });
    const sealed = secret?.spec.data[HOOK_SECRET_KEY];
    if (repository?.spec.webhook === undefined || sealed === undefined) return undefined;
    try {
      return this.#ports.sealer.open(
        sealed,
        secretContext({ namespace, name: named, key: HOOK_SECRET_KEY }),
      );
    } catch {
      // Sealed with another key: the Repository's status says so.
      return undefined;
    }
  }

  async #read<Kind extends Repository | Secret>(name: ObjectName): Promise<Kind | undefined> {
    const item = await this.#ports.store.get(objectKey(name));
    return item === undefined ? undefined : (decodeObject(item) as Kind);
  }

  async #hookRecord(uid: string) {
    const item = await this.#ports.store.get(recordKey('repositoryHook', uid));
    if (item === undefined) return undefined;
    const value = JSON.parse(item.value) as RepositoryHookRecord;
    return { value, modRevision: item.modRevision };
  }
}

/** Whether somebody waits for the answer to a request of theirs, such as one to let a commit prune. */
function isAwaited({ metadata, status }: Repository): boolean {
  const request = metadata.annotations?.[RECONCILE_REQUESTED];
  return (
    request !== undefined && !request.includes(BY_WEBHOOK) && status?.handledRequest !== request
  );
}

function remember({ waiting }: Pace, delivery: string): void {
  const [oldest] = waiting;
  if (waiting.size >= HOOK_DELIVERIES_MAX && oldest !== undefined) waiting.delete(oldest);
  waiting.add(delivery);
}

/** Sets when the next look may be asked for. */
function takePlace(pace: Pace, nowMs: number): void {
  pace.fullMs = Math.max(pace.fullMs, nowMs) + HOOK_EVERY_MS;
  pace.atMs = pace.fullMs - HOOK_BURST * HOOK_EVERY_MS;
}

/** `yield`: to whom somebody waits for; `insist`: to nobody. */
type Manner = 'yield' | 'insist';

/** How far the calls for one Repository have come. */
interface Pace {
  /** Calls that no write tells of yet. */
  readonly waiting: Set<string>;
  phase: 'idle' | 'waiting';
  /** When all of the burst is there again, monotonic. */
  fullMs: number;
  /** While `waiting`: when it is written. */
  atMs: number;
}

/** The value of the Secret that calls are signed with. */
export const HOOK_SECRET_KEY = 'secret';
/** In place of a secret where there is none; nothing signed with it is taken. */
const UNKNOWN = 'none';
const PACES_MAX = 10_000;
const BY_WEBHOOK = ' webhook=';
/** How long a request of a person is given before it is looked at again, and how often. */
const YIELD_MS = 1_000;
const YIELDS_MAX = 60;
const AUTHOR = { manager: 'webhook', user: 'webhook', command: 'webhook' } as const;
