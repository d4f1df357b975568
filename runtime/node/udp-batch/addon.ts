import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What udp-batch.c gives to JavaScript; offsets are into the memory that `open` returns. */
export interface UdpBatchAddon {
  /** Of this interface. */
  readonly version: number;
  /** Datagrams of one batch at most. */
  readonly batch: number;
  readonly datagramBytesMax: number;
  /** From one datagram's room to the next. */
  readonly stride: number;
  /** Two numbers of 32 bits: errno, and how many datagrams could not be sent. */
  readonly failureAt: number;
  /** Numbers of 32 bits, one for each datagram; 0: nothing to answer, or to send. */
  readonly queryBytesAt: number;
  readonly replyBytesAt: number;
  /** 16 bytes for each datagram, of which IPv4 takes the first four. */
  readonly addressesAt: number;
  readonly queriesAt: number;
  readonly repliesAt: number;
  /** A number: errno, below zero. `onBatch` hears how many datagrams came; 0: something failed. */
  open(
    host: string,
    port: number,
    bufferBytes: number,
    onBatch: (count: number) => void,
  ): OpenUdpBatch | number;
  /** In the middle of a batch it takes effect after it. Twice is the same as once. */
  close(handle: object): void;
}

export interface OpenUdpBatch {
  readonly handle: object;
  readonly port: number;
  readonly memory: ArrayBuffer;
}

export type FoundAddon =
  | { readonly kind: 'found'; readonly addon: UdpBatchAddon }
  /** Why not, as a sentence with the mend. */
  | { readonly kind: 'missing'; readonly problem: string };

/** INTERFACE_VERSION in udp-batch.c. */
const VERSION = 1;
const MEND = 'run "make native" where b8s was built, which wants gcc';

/** The name that a build for this machine has. */
export function addonFile(): string {
  return `udp-batch-${process.platform}-${process.arch}.node`;
}

/** Never throws: without it everything works, but slower. */
export function findAddon(folder: URL = new URL('build/', import.meta.url)): FoundAddon {
  const path = fileURLToPath(new URL(addonFile(), folder));
  try {
    const addon = createRequire(import.meta.url)(path) as UdpBatchAddon;
    if (addon.version === VERSION) return { kind: 'found', addon };
    const problem = `${path} is of another version than this program: ${MEND}`;
    return { kind: 'missing', problem };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'MODULE_NOT_FOUND' ? `there is no ${path}` : message;
    return { kind: 'missing', problem: `${reason}: ${MEND}` };
  }
}
