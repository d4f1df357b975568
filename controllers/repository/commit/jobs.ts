import { backoffMs } from '../../../runtime/control/backoff.ts';
import { describeError } from '../../../runtime/control/control-loop.ts';
import {
  type Git,
  GitError,
  type GitRef,
  type GitRemote,
  type GitTarget,
} from '../../../runtime/git/git.ts';
import type { Random } from '../../../runtime/random.ts';
import { takeSlots } from '../../../runtime/slots.ts';
import type { CommitSet, RemoteView } from '../facts.ts';
import { type PrepareOptions, type PreparePorts, prepareCommit } from './prepare.ts';
import { withCommit, withinTime } from './read-commit.ts';

/** Looks at remotes under way at once: each is a process or two. */
const AT_ONCE_MAX = 4;
const RETRY = { baseMs: 2_000, capMs: 120_000 };
/** What is prepared for one Repository: the commit that is in force, one half applied, the one that comes. */
const SETS_MAX = 3;

export interface JobPorts extends PreparePorts {
  readonly git: Git;
  readonly random: Random;
}

/** What to look for, and how often. */
export interface Wanted {
  readonly remote: GitRemote;
  readonly ref: GitRef;
  readonly prepare: PrepareOptions;
  /** Another one makes all that was found stale. */
  readonly key: string;
  /** Another one asks for a look at once. */
  readonly request: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The commit that is in force: it is not read anew. */
  readonly applied: string | undefined;
  /** One that is half applied: it goes on where a newer one is refused. */
  readonly attempt: string | undefined;
  /** Which commit to follow when the ref is at `head`. */
  targetOf(head: string): string;
}

/**
 * Looks at remotes in the background: reconciles must be short, and a fetch may be long. What was
 * found is kept in memory only, for it can be found again.
 */
export class Jobs {
  readonly #ports: JobPorts;
  readonly #slots = takeSlots(AT_ONCE_MAX);
  readonly #jobs = new Map<string, Job>();
  /** By name, the last look until it has ended, which is some time after it was aborted. */
  readonly #ending = new Map<string, Promise<void>>();
  #look: (name: string) => void = () => undefined;

  constructor(ports: JobPorts) {
    this.#ports = ports;
  }

  /** `look` is called for a name when something was found. */
  listen(look: (name: string) => void): () => void {
    this.#look = look;
    return () => {
      for (const name of this.#jobs.keys()) this.forget(name);
    };
  }

  forget(name: string): void {
    this.#jobs.get(name)?.running?.abort(new Error('nobody wants it any more'));
    this.#jobs.delete(name);
  }

  /** What a commit declares for that Repository; undefined: it was not read for it. */
  setOf(name: string, commit: string): CommitSet | undefined {
    return this.#jobs.get(name)?.sets.get(commit);
  }

  /** What is known; begins a look when one is due. */
  view(name: string, wanted: Wanted): RemoteView {
    const nowMs = this.#ports.clock.monotonicMs();
    let job = this.#jobs.get(name);
    if (job === undefined || job.key !== wanted.key) {
      this.forget(name);
      job = { key: wanted.key, nextMs: nowMs, failures: 0, sets: new Map() };
      this.#jobs.set(name, job);
    }
    const isAsked = wanted.request !== undefined && wanted.request !== job.asked;
    if (job.running === undefined && (isAsked || nowMs >= job.nextMs))
      this.#begin(name, job, wanted);
    const target = job.head === undefined ? undefined : wanted.targetOf(job.head);
    const { attempt } = wanted;
    return {
      head: job.head,
      set: target === undefined ? undefined : job.sets.get(target),
      attempt: attempt === undefined || attempt === target ? undefined : job.sets.get(attempt),
      failure: job.failure,
      phase: job.running === undefined ? 'idle' : 'looking',
      request: job.answered,
      nextInMs: job.running === undefined ? Math.ceil(Math.max(0, job.nextMs - nowMs)) : Infinity,
    };
  }

  #begin(name: string, job: Job, wanted: Wanted): void {
    const { clock, random } = this.#ports;
    const running = new AbortController();
    job.running = running;
    job.asked = wanted.request;
    const begin = (): Promise<void> => this.#slots(() => this.#inTime(job, wanted, running));
    // What one leaves behind, and clears away, is in the way of the next: one at a time.
    const before = this.#ending.get(name);
    const work = before === undefined ? begin() : before.then(begin);
    const ended = work
      .then(
        () => {
          job.failure = undefined;
          job.failures = 0;
          // A tenth more or less, so that many Repositories do not all ask at once.
          job.nextMs = clock.monotonicMs() + wanted.intervalMs * (0.9 + 0.2 * random.next());
        },
        (error: unknown) => {
          job.failure = failureOf(error);
          job.failures += 1;
          const inMs = Math.min(wanted.intervalMs, backoffMs(job.failures, RETRY, random));
          job.nextMs = clock.monotonicMs() + inMs;
        },
      )
      .finally(() => {
        if (job.running === running) job.running = undefined;
        job.answered = wanted.request;
        if (this.#ending.get(name) === ended) this.#ending.delete(name);
        if (this.#jobs.get(name) === job) this.#look(name);
      });
    this.#ending.set(name, ended);
  }

  async #inTime(job: Job, wanted: Wanted, running: AbortController): Promise<void> {
    running.signal.throwIfAborted();
    const { clock } = this.#ports;
    await withinTime(clock, wanted.timeoutMs, running.signal, (signal) =>
      this.#run(job, wanted, signal),
    );
  }

  async #run(job: Job, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { remote, ref, targetOf, applied, attempt } = wanted;
    const found = await this.#ports.git.resolve(remote, ref, signal);
    const commit = targetOf(found.commit);
    const target = commit === found.commit ? found : { commit, name: undefined };
    // What has waited may name blobs that were cleared away meanwhile.
    if (commit !== applied || !job.sets.has(commit)) await this.#read(job, wanted, target, signal);
    job.head = found.commit;
    if (attempt === undefined || attempt === commit) return;
    await this.#read(job, wanted, { commit: attempt, name: undefined }, signal);
  }

  async #read(
    job: Job,
    { remote, prepare }: Wanted,
    target: GitTarget,
    signal: AbortSignal,
  ): Promise<void> {
    const set = await withCommit(this.#ports.git, { remote, target }, signal, (from) =>
      prepareCommit(from, prepare, this.#ports),
    );
    keep(job.sets, set);
  }
}

interface Job {
  readonly key: string;
  readonly sets: Map<string, CommitSet>;
  nextMs: number;
  failures: number;
  head?: string;
  failure?: RemoteView['failure'];
  running?: AbortController | undefined;
  /** The request that the last look was begun for, and the one that it has answered. */
  asked?: string | undefined;
  answered?: string | undefined;
}

function keep(sets: Map<string, CommitSet>, set: CommitSet): void {
  sets.delete(set.commit);
  sets.set(set.commit, set);
  const [oldest] = sets.keys();
  if (sets.size > SETS_MAX && oldest !== undefined) sets.delete(oldest);
}

function failureOf(error: unknown): NonNullable<RemoteView['failure']> {
  if (error instanceof GitError) return { reason: error.reason, message: error.message };
  return { reason: 'Failed', message: describeError(error) };
}
