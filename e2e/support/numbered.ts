import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { NodeOptions } from './cluster.ts';
import { type Browser, browser, http2Browser, type Page } from './https.ts';
import { describeLane, type Lane, type LaneFigures, openLoop } from './open-loop.ts';
import { edgeOf, type Scene } from './scene.ts';

/** Releases that are told apart, and their parts from one another's, by a number in each file. */

/** Path of a request → file of the release. */
export const PATHS: ReadonlyMap<string, string> = new Map([
  ['/', 'index.html'],
  ['/about/', 'about/index.html'],
  ['/assets/app.js', 'assets/app.js'],
  ['/assets/large.css', 'assets/large.css'],
  ['/nothing-here', '404.html'],
]);

/** One answer, as a client saw it. */
export interface Seen {
  readonly node: string;
  readonly release: number;
  readonly isCompressed: boolean;
  readonly askedMs: number;
  readonly answeredMs: number;
}

export interface Watch {
  readonly seen: readonly Seen[];
  /** What no client may ever see, in words. */
  readonly failed: readonly string[];
  /** Bytes that no release has. */
  readonly torn: readonly string[];
  readonly lanes: readonly LaneFigures[];
}

export interface Rates {
  /** Of all nodes together, over connections that are kept. */
  readonly http2PerSecond: number;
  /** Each: HTTP/2 and HTTP/1.1 over connections of their own, and HTTP/1.1 over kept ones. */
  readonly othersPerSecond: number;
}

export function writeRelease(folder: string, release: number): void {
  for (const file of PATHS.values()) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), contentOf(file, release));
  }
}

/** The number at the beginning and the end; one file is larger than what is sent in one piece. */
function contentOf(file: string, release: number): string {
  const middle = file.includes('large') ? `${release} `.repeat(60_000) : file;
  return `/* release ${release} */ ${middle} /* end of ${release} */\n`;
}

/** What is compared again and again. */
class Contents {
  readonly #known = new Map<string, Buffer>();

  of(file: string, release: number): Buffer {
    const key = `${file} ${release}`;
    const known = this.#known.get(key) ?? Buffer.from(contentOf(file, release));
    this.#known.set(key, known);
    return known;
  }
}

/** Late is not failed: how late is told. */
const TIMEOUT_MS = 60_000;

/** Asks all nodes of the host while something is done, at a rate that nothing slows down. */
export async function watchReleases(
  scene: Scene,
  host: string,
  { rates, during }: { readonly rates: Rates; readonly during: (watch: Watch) => Promise<void> },
): Promise<Watch> {
  const watch = { seen: [] as Seen[], failed: [] as string[], torn: [] as string[] };
  const { http2PerSecond, othersPerSecond } = rates;
  const ca = scene.ca();
  const kept = { keepAlive: true, timeoutMs: TIMEOUT_MS };
  const cold = { ...kept, keepAlive: false };
  const clients = {
    'HTTP/2': http2Browser(host, ca, kept),
    'HTTP/2, cold': http2Browser(host, ca, cold),
    'HTTP/1.1': browser(host, ca, kept),
    'HTTP/1.1, cold': browser(host, ca, cold),
  };
  const contents = new Contents();
  const lanes = Object.entries(clients).map(([name, client]): Lane => {
    const perSecond = name === 'HTTP/2' ? http2PerSecond : othersPerSecond;
    return {
      name,
      perSecond,
      ask: (turn) => askOnce(turn, { name, client, contents, scene, watch }),
    };
  });
  const over = new AbortController();
  const loop = openLoop(lanes, over.signal);
  try {
    await during({ ...watch, lanes: [] });
  } finally {
    over.abort();
    await loop;
    for (const client of Object.values(clients)) client.close();
  }
  return { ...watch, lanes: await loop };
}

/** What a watch has to say, on one line for each kind of request. */
export function describeWatch({ lanes, failed, torn }: Watch, backward: number): string {
  const counts = `${failed.length} failed, ${torn.length} torn, ${backward} backward`;
  return [...lanes.map(describeLane), counts].join('\n  ');
}

interface Asking {
  readonly name: string;
  readonly client: Browser;
  readonly contents: Contents;
  readonly scene: Scene;
  readonly watch: {
    readonly seen: Seen[];
    readonly failed: string[];
    readonly torn: string[];
  };
}

/** Each node in turn, and each file; every other time compressed, if it is to be had. */
async function askOnce(
  turn: number,
  { name, client, contents, scene, watch }: Asking,
): Promise<void> {
  const { nodes } = scene;
  const node = nodes[turn % nodes.length] as NodeOptions;
  const round = Math.floor(turn / nodes.length);
  const [path, file] = [...PATHS][round % PATHS.size] ?? ['/', 'index.html'];
  const isPlain = Math.floor(round / PATHS.size) % 2 === 0;
  const headers = isPlain ? {} : { 'accept-encoding': 'br' };
  const what = `${name} at ${node.name}: ${path}`;
  const askedMs = performance.now();
  try {
    const page = await client.get(edgeOf(node), path, headers);
    const answeredMs = performance.now();
    const body = decoded(page);
    const head = body.toString('latin1', 0, 40);
    const release = Number(/release (\d+)/.exec(head)?.[1] ?? Number.NaN);
    if (page.status !== (file === '404.html' ? 404 : 200)) {
      watch.failed.push(`${what}: ${page.status}`);
    } else if (!body.equals(contents.of(file, release))) {
      watch.torn.push(`${what}: ${body.length} bytes of release ${release}`);
    } else {
      const isCompressed = page.headers['content-encoding'] !== undefined;
      watch.seen.push({ node: node.name, release, isCompressed, askedMs, answeredMs });
    }
  } catch (error) {
    watch.failed.push(`${what}: ${String(error)}`);
  }
}

function decoded({ headers, body }: Page): Buffer {
  return headers['content-encoding'] === 'br' ? brotliDecompressSync(body) : body;
}

/**
 * Answers of one node that are older than one that had come from it before they were asked for.
 * `rankOf`: the greater, the newer; for an undo the numbers run the other way.
 */
export function stepsBack(
  seen: readonly Seen[],
  rankOf: (release: number) => number = (release) => release,
): readonly string[] {
  const found: string[] = [];
  for (const node of new Set(seen.map((each) => each.node))) {
    const own = seen.filter((each) => each.node === node);
    const byAnswer = own.toSorted((a, b) => a.answeredMs - b.answeredMs);
    let [next, newest]: [number, Seen | undefined] = [0, undefined];
    for (const each of own.toSorted((a, b) => a.askedMs - b.askedMs)) {
      for (
        let done = byAnswer[next];
        done !== undefined && done.answeredMs <= each.askedMs;
        done = byAnswer[next]
      ) {
        if (newest === undefined || rankOf(done.release) > rankOf(newest.release)) newest = done;
        next += 1;
      }
      if (newest !== undefined && rankOf(each.release) < rankOf(newest.release))
        found.push(`${node}: ${each.release} after ${newest.release}`);
    }
  }
  return found;
}
