import type { Link } from '../../runtime/session/link.ts';
import type { Process } from '../engine/process.ts';
import type { Trace } from '../engine/trace.ts';
import { frameWords } from './frame-words.ts';

type End = 'sub' | 'dom';

/** An end of a link, for the trace: whose it is, and how the other side is called. */
interface EndPorts {
  readonly host: string;
  readonly process: Process;
}

/**
 * Tells the trace of all that passes on one link, and which frame that was read is which that was
 * sent: they keep their order, and after one that is lost none arrives.
 */
export class LinkTrace {
  readonly #trace: Trace;
  readonly #ends: Readonly<Record<End, EndPorts>>;
  /** By who sent them: frames on their way, as lines. */
  readonly #travelling: Readonly<Record<End, Sent[]>> = { sub: [], dom: [] };

  constructor(trace: Trace, ends: Readonly<Record<End, EndPorts>>) {
    this.#trace = trace;
    this.#ends = ends;
  }

  sent(from: End, bytes: Uint8Array): void {
    const { host } = this.#ends[from];
    const to = this.#ends[otherOf(from)].host;
    let what = '';
    const line = this.#trace.frame(host, `→ ${to}`, bytes, {
      kind: 'sends',
      told: () => {
        const words = frameWords(from, bytes);
        what = words.what;
        return { what: `→ ${to} ${what}`, fields: words.fields };
      },
    });
    this.#travelling[from].push({ line, what });
  }

  /** The same end of the link, as its process has it. */
  end(name: End, link: Link): Link {
    return {
      send: (frame) => link.send(frame),
      drained: () => link.drained(),
      frames: () => this.#frames(name, link.frames()),
      close: (error) => link.close(error),
    };
  }

  /** Without a moment more between a frame and its reader than there is without a trace. */
  #frames(name: End, frames: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const iterator = frames[Symbol.asyncIterator]();
    const traced: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => traced,
      next: () => {
        const next = iterator.next();
        next.then(
          ({ done }) => (done === true ? undefined : this.#read(name)),
          () => undefined,
        );
        return next;
      },
      return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
    };
    return traced;
  }

  #read(name: End): void {
    const { host, process } = this.#ends[name];
    const other = otherOf(name);
    const sent = this.#travelling[other].shift();
    if (sent === undefined || !process.alive) return;
    const { line, what } = sent;
    const from = this.#ends[other].host;
    this.#trace.add(host, `← ${from}`, {
      kind: 'receives',
      causes: [line],
      told: () => ({ what: `← ${from} ${what}` }),
    });
  }
}

interface Sent {
  readonly line: number;
  readonly what: string;
}

function otherOf(end: End): End {
  return end === 'sub' ? 'dom' : 'sub';
}
