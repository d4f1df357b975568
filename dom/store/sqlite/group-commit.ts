import type { DatabaseSync } from 'node:sqlite';
import type { RevisionChanges } from '../../../runtime/store/change-log.ts';
import { UncertainError } from '../../../runtime/store/store.ts';
import type { Marks } from './rows.ts';
import type { Writer } from './writer.ts';
import { LeaseEndedError } from './writer.ts';

/** One write that waits for its turn. */
export interface Job {
  /** Writes, and returns the answer. */
  readonly run: () => unknown;
  /** Called once the answer is durable. */
  readonly done: (answer: unknown) => void;
  readonly failed: (error: unknown) => void;
}

/** Bounds the time that one transaction takes, and the memory that its changes need. */
const GROUP_JOBS_MAX = 500;

/**
 * Writes that wait together are made durable together, by one COMMIT and so by one fsync. Each
 * still has its own guards, checked in order, and its own revision.
 */
export class GroupCommit {
  transactions = 0;
  readonly #database: DatabaseSync;
  readonly #marks: Marks;
  readonly #writer: Writer;
  readonly #publish: (revisions: readonly RevisionChanges[]) => void;
  #queue: Job[] = [];

  constructor(options: {
    readonly database: DatabaseSync;
    readonly marks: Marks;
    readonly writer: Writer;
    /** Called with what has become durable, before the jobs' `done`. */
    readonly publish: (revisions: readonly RevisionChanges[]) => void;
  }) {
    this.#database = options.database;
    this.#marks = options.marks;
    this.#writer = options.writer;
    this.#publish = options.publish;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  add(job: Job): void {
    this.#queue.push(job);
  }

  /** Runs one group. */
  flush(): void {
    const jobs = this.#queue.slice(0, GROUP_JOBS_MAX);
    this.#queue = this.#queue.slice(jobs.length);
    const settle = this.#commit(jobs);
    for (const each of settle) each();
  }

  /** Returns what to do next: tell each job how it ended. */
  #commit(jobs: readonly Job[]): readonly (() => void)[] {
    const before = { ...this.#marks };
    let phase: 'writing' | 'committing' = 'writing';
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const settle = jobs.map(runJob);
      const revisions = this.#writer.finish();
      phase = 'committing';
      this.#database.exec('COMMIT');
      this.transactions += 1;
      return [() => this.#publish(revisions), ...settle];
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#writer.discard();
      Object.assign(this.#marks, before);
      // When COMMIT itself fails, its pages may or may not have reached the disk.
      const error =
        phase === 'committing'
          ? new UncertainError(`commit to the store file: ${String(cause)}`, { cause })
          : cause;
      return jobs.map((job) => () => job.failed(error));
    }
  }
}

/** Returns what to do when the group is durable; throws what must undo the whole group. */
function runJob(job: Job): () => void {
  try {
    const answer = job.run();
    return () => job.done(answer);
  } catch (error) {
    // These two are thrown before the job writes, so the others need not suffer.
    if (!(error instanceof LeaseEndedError || error instanceof RangeError)) throw error;
    return () => job.failed(error);
  }
}
