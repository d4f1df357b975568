import type { Resource } from '../../api/object.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Said } from '../load/b8sctl.ts';
import type { NodeSetup } from './scenario.ts';

/** Where a command of b8sctl is run. */
export interface Surroundings {
  /** Standard input. */
  readonly input?: string;
  /** Files by path, relative to the working directory. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

export interface Page {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** What files hold, by path. */
export type Files = ReadonlyMap<string, string | Uint8Array>;

/** A release that somebody has made and is about to publish. */
export interface Made {
  readonly site: string;
  readonly digest: Digest;
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * A world that scenarios can be played in: all that the player does to it and sees of it, and
 * nothing that tells whether it is real.
 *
 * Guarantees: when `kill`, `start`, `pause` or `resume` resolves, it is done; what comes of it takes
 * its time. `addressOf` never changes.
 * Assumptions: what is started does not run, what is killed does; the player sees to it.
 * Errors: a question to what does not answer is answered `undefined`, within some seconds; anything
 * else that fails throws, and ends the scenario.
 */
export interface Stage {
  /** Of whoever watches. */
  readonly clock: Clock;
  /** Runs a command, against a dom that leads if there is one. Never throws for its exit code. */
  b8sctl(words: readonly string[], surroundings?: Surroundings): Promise<Said>;
  /** Every object of a kind; undefined: no dom answers. */
  list(kind: string): Promise<readonly Resource[] | undefined>;
  /** Makes a machine a node, and starts sub there. */
  join(node: NodeSetup): Promise<void>;
  /** `process`: a node's name, or a dom's. `kill` is kill -9. */
  kill(process: string): Promise<void>;
  start(process: string): Promise<void>;
  /** It stands still, and does not know; what others send to it waits. */
  pause(process: string): Promise<void>;
  resume(process: string): Promise<void>;
  /** Nothing passes between the node and dom any more; clients and other nodes still reach it. */
  cutOff(node: string): Promise<void>;
  heal(node: string): Promise<void>;
  /** Sends a message to the node's nameserver over UDP. */
  ask(node: string, query: Uint8Array): Promise<Uint8Array | undefined>;
  /** Over HTTPS; undefined also where it does not serve that host. */
  fetch(node: string, host: string, path: string): Promise<Page | undefined>;
  /** What sub keeps on that node. */
  disk(node: string): Pick<Disk, 'read'>;
  /** How many blobs dom has. */
  blobs(): Promise<number>;
  /** Where dom finds the one Git remote of the scenario. */
  gitUrl(): string;
  /** Pushes a commit that holds these files and no others to its branch `main`; gives its name. */
  commit(files: Files, message: string): Promise<string>;
  /** The one public address of a node. */
  addressOf(node: string): string;
  /** Says what is about to be published, to whoever checks what is served. */
  making(release: Made): void;
}
