import { Worker } from 'node:worker_threads';
import type { RevisionChanges } from '../../../runtime/store/change-log.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import { UncertainError } from '../../../runtime/store/store.ts';
import { inBatches } from './batches.ts';
import { errorOf } from './failure.ts';
import type { CallKind, Calls, Message, Request, WorkerOptions } from './protocol.ts';

export interface WorkerClientOptions {
  readonly file: string;
  readonly worker: URL;
  /** The store is open, at this revision. No change comes before. */
  readonly onOpened: (head: Revision) => void;
  readonly onChanges: (revisions: readonly RevisionChanges[]) => void;
  /** Called once, when the thread has ended, as asked or not. */
  readonly onEnd: () => void;
}

/** More calls than this at a time are refused: memory is bounded, and the disk is too slow. */
const PENDING_CALLS_MAX = 20_000;

/** The calling side of the worker thread's protocol. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #post: (request: Request) => void;
  #lastId = 0;
  /** Set when the thread takes no more calls: why. */
  #ended: string | undefined;

  static async open(options: WorkerClientOptions): Promise<WorkerClient> {
    return await new Promise((resolve, reject) => {
      const client: WorkerClient = new WorkerClient(options, {
        opened: () => resolve(client),
        refused: reject,
      });
    });
  }

  private constructor(
    { file, worker, onOpened, onChanges, onEnd }: WorkerClientOptions,
    { opened, refused }: { opened: () => void; refused: (error: Error) => void },
  ) {
    const workerData: WorkerOptions = { file };
    // Not the parent's flags: a test runner's loader has no business here.
    this.#worker = new Worker(worker, { workerData, execArgv: [] });
    const take = (message: Message): void => {
      switch (message.kind) {
        case 'opened':
          onOpened(message.head);
          return opened();
        case 'refused':
          return refused(errorOf(message.failure));
        case 'changes':
          return onChanges(message.revisions);
        case 'answer':
        case 'failed':
          return this.#settle(message);
        default:
          return message satisfies never;
      }
    };
    this.#worker.on('message', (messages: readonly Message[]) => messages.forEach(take));
    this.#post = inBatches((requests) => this.#worker.postMessage(requests));
    this.#worker.on('error', (error) => {
      this.#end(`its thread failed: ${String(error)}`);
      // Without effect once the store is open.
      refused(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on('exit', () => {
      this.#end('its thread has ended');
      onEnd();
    });
  }

  async call<Kind extends CallKind>(
    kind: Kind,
    ask: Calls[Kind]['ask'],
  ): Promise<Calls[Kind]['answer']> {
    if (this.#ended !== undefined) throw new Error(`the store is closed: ${this.#ended}`);
    if (this.#pending.size >= PENDING_CALLS_MAX) {
      throw new Error(`the store is overloaded: ${PENDING_CALLS_MAX} calls are waiting`);
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = await new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { kind, resolve, reject });
      this.#post({ id, kind, ask } as Request);
    });
    // The protocol's types hold on both sides of the port; it carries no others.
    return answer as Calls[Kind]['answer'];
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    const closed = this.call('close', undefined);
    this.#ended = 'it was closed';
    await closed;
    await exited;
  }

  #settle(message: Extract<Message, { kind: 'answer' | 'failed' }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'answer') pending?.resolve(message.answer);
    else pending?.reject(errorOf(message.failure));
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const { kind, reject } of this.#pending.values()) {
      const message = `${kind}: the store is closed: ${this.#ended}`;
      reject(kind === 'commit' ? new UncertainError(message) : new Error(message));
    }
    this.#pending.clear();
  }
}

interface Pending {
  readonly kind: CallKind;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}
