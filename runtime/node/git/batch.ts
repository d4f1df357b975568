import { GitError } from '../../git/git.ts';
import type { Access } from './access.ts';
import { type RunningGit, startGit } from './run.ts';

const NEWLINE = 10;
/** `<id> <type> <size>` */
const HEAD_BYTES_MAX = 256;

/** Reads objects of a repository one after the other, by one `git cat-file --batch`. */
export class ObjectReader {
  readonly #git: RunningGit;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  /** Resolves when the object before has been read, or skipped, to its end. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(folder: string, access: Access, signal: AbortSignal) {
    const args = [...access.options, '--git-dir', folder, 'cat-file', '--batch'];
    this.#git = startGit({ args, env: access.env, signal });
    this.#chunks = (this.#git.stdout ?? nothing())[Symbol.asyncIterator]();
  }

  /** Its bytes; whoever reads two at once has the second wait for the first. */
  async *read(id: string): AsyncGenerator<Uint8Array> {
    const turn = Promise.withResolvers<void>();
    const before = this.#before;
    this.#before = turn.promise;
    await before;
    let leftBytes = 0;
    try {
      this.#git.stdin?.write(`${id}\n`);
      leftBytes = sizeOf(await this.#line(), id) + 1;
      while (leftBytes > 1) {
        const piece = await this.#take(leftBytes - 1);
        leftBytes -= piece.length;
        yield piece;
      }
    } finally {
      // Also when nobody wants the rest: the next object lies behind it.
      while (leftBytes > 0) {
        const piece = await this.#take(leftBytes).catch(() => undefined);
        if (piece === undefined) break;
        leftBytes -= piece.length;
      }
      turn.resolve();
    }
  }

  async close(): Promise<void> {
    this.#git.stop();
    await this.#git.ended().catch(() => undefined);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(NEWLINE);
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString('latin1');
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > HEAD_BYTES_MAX) throw new Error('git cat-file: its answer is none');
      this.#rest = Buffer.concat([this.#rest, await this.#chunk()]);
    }
  }

  /** At least one byte, at most `bytesMax`. */
  async #take(bytesMax: number): Promise<Buffer> {
    const from = this.#rest.length > 0 ? this.#rest : await this.#chunk();
    this.#rest = from.subarray(bytesMax);
    return from.subarray(0, bytesMax);
  }

  async #chunk(): Promise<Buffer> {
    const next = await this.#chunks.next();
    if (next.done !== true) return next.value;
    await this.#git.ended();
    throw new Error('git cat-file ended early');
  }
}

function sizeOf(head: string, id: string): number {
  const [named, type, size] = head.split(' ');
  if (named === id && type !== 'missing' && /^\d+$/.test(size ?? '')) return Number(size);
  throw new GitError('Failed', `read object ${id}: ${head}`);
}

async function* nothing(): AsyncGenerator<Buffer> {}
