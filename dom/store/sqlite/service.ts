import type { DatabaseSync } from 'node:sqlite';
import { failureOf } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { LeaseDeadlines } from './lease-deadlines.ts';
import type { Message, Request } from './protocol.ts';
import type { Reader } from './reader.ts';
import { reader } from './reader.ts';
import { loadMarks } from './rows.ts';
import type { Writer } from './writer.ts';
import { loadLeases, writer } from './writer.ts';

/** How long the end of a lease is put off when it could not be written. */
const LEASE_RETRY_MS = 1_000;
/** The longest time that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The store behind its worker's port: takes requests, answers when the answer is durable. */
export class StoreService {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #send: (message: Message) => void;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #group: GroupCommit;
  readonly #deadlines = new LeaseDeadlines();
  #commits = 0;
  #phase: 'open' | 'closing' = 'open';
  #flushing: 'idle' | 'scheduled' = 'idle';
  #sweeping: 'idle' | 'running' = 'idle';
  #leaseTimer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly file: string;
    readonly database: DatabaseSync;
    readonly send: (message: Message) => void;
  }) {
    this.#file = options.file;
    this.#database = options.database;
    this.#send = options.send;
    const marks = loadMarks(options.database);
    this.#reader = reader(options.database, marks);
    this.#writer = writer(options.database, marks);
    this.#group = new GroupCommit({
      database: options.database,
      marks,
      writer: this.#writer,
      publish: (revisions) => {
        if (revisions.length > 0) this.#send({ kind: 'changes', revisions });
      },
    });
    const nowMs = performance.now();
    for (const { lease, ttlMs } of loadLeases(options.database)) {
      this.#deadlines.start(lease, { ttlMs, nowMs });
    }
    this.#armLeaseTimer();
    this.#send({ kind: 'opened', head: marks.head });
  }

  handle(request: Request): void {
    try {
      this.#dispatch(request);
    } catch (error) {
      this.#fail(request.id, error);
    }
  }

  #dispatch(request: Request): void {
    const { id } = request;
    switch (request.kind) {
      case 'get':
        return this.#answer(id, this.#reader.get(request.ask.key));
      case 'list':
        return this.#answer(id, this.#reader.list(request.ask));
      case 'history':
        return this.#answer(id, this.#reader.history(request.ask));
      case 'stats':
        return this.#answer(id, {
          transactions: this.#group.transactions,
          commits: this.#commits,
        });
      case 'commit':
        this.#commits += 1;
        return this.#write(id, () => this.#writer.commit(request.ask));
      case 'grantLease':
        return this.#grantLease(id, request.ask.ttlMs);
      case 'renewLease':
        // The timer stays: it finds nothing due then, and is set anew.
        return this.#answer(id, this.#deadlines.renew(request.ask.lease, performance.now()));
      case 'revokeLease':
        this.#deadlines.end(request.ask.lease);
        return this.#write(id, () => this.#writer.endLease(request.ask.lease));
      case 'compact':
        this.#write(id, () => this.#writer.compact(request.ask.revision));
        return this.#startSweep();
      case 'close':
        return this.#close(id);
      default:
        return request satisfies never;
    }
  }

  #write(id: number, run: () => unknown): void {
    this.#enqueue({
      run,
      done: (answer) => this.#answer(id, answer),
      failed: (error) => this.#fail(id, error),
    });
  }

  #enqueue(job: Parameters<GroupCommit['add']>[0]): void {
    this.#group.add(job);
    if (this.#flushing === 'scheduled') return;
    this.#flushing = 'scheduled';
    // All requests that have arrived by now are read before: they share the transaction.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    // Still 'scheduled', so that what `done` enqueues does not schedule a second flush.
    if (this.#group.waiting > 0) this.#group.flush();
    if (this.#group.waiting > 0) setImmediate(() => this.#flush());
    else this.#flushing = 'idle';
  }

  #grantLease(id: number, ttlMs: number): void {
    this.#enqueue({
      run: () => this.#writer.grantLease(ttlMs),
      done: (answer) => {
        this.#deadlines.start(String(answer), { ttlMs, nowMs: performance.now() });
        this.#armLeaseTimer();
        this.#answer(id, answer);
      },
      failed: (error) => this.#fail(id, error),
    });
  }

  #armLeaseTimer(): void {
    clearTimeout(this.#leaseTimer);
    const nextMs = this.#deadlines.nextMs();
    if (nextMs === Infinity) return;
    const waitMs = Math.min(Math.max(1, Math.ceil(nextMs - performance.now())), TIMER_MS_MAX);
    this.#leaseTimer = setTimeout(() => this.#endDueLeases(), waitMs);
  }

  #endDueLeases(): void {
    for (const lease of this.#deadlines.due(performance.now())) {
      const ttlMs = this.#deadlines.end(lease) ?? 0;
      this.#enqueue({
        run: () => this.#writer.endLease(lease),
        done: () => undefined,
        failed: () => {
          const nowMs = performance.now() + LEASE_RETRY_MS - ttlMs;
          this.#deadlines.start(lease, { ttlMs, nowMs });
          this.#armLeaseTimer();
        },
      });
    }
    this.#armLeaseTimer();
  }

  #startSweep(): void {
    if (this.#sweeping === 'running') return;
    this.#sweeping = 'running';
    this.#sweep(0n);
  }

  /** Stretch by stretch, each in a group with the commits of its time. */
  #sweep(afterRevision: bigint): void {
    this.#enqueue({
      run: () => this.#writer.sweep(afterRevision),
      done: (next) => {
        if (typeof next === 'bigint' && this.#phase === 'open') this.#sweep(next);
        else this.#sweeping = 'idle';
      },
      // What is left over is swept after the next compaction.
      failed: () => {
        this.#sweeping = 'idle';
      },
    });
  }

  #close(id: number): void {
    this.#phase = 'closing';
    while (this.#group.waiting > 0) this.#group.flush();
    clearTimeout(this.#leaseTimer);
    this.#database.close();
    this.#answer(id, undefined);
  }

  #answer(id: number, answer: unknown): void {
    this.#send({ kind: 'answer', id, answer });
  }

  #fail(id: number, error: unknown): void {
    this.#send({ kind: 'failed', id, failure: failureOf(error, this.#file) });
  }
}
