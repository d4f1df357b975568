import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { type Browser, browser, http2Browser, type Page } from './support/https.ts';
import { until } from './support/processes.ts';
import {
  describeOnStores,
  edgeOf,
  publish,
  type Scene,
  siteYaml,
  useScene,
} from './support/scene.ts';

const HOST = 'news.example.test';
const SWITCHES = 20;
const SPREAD_MS_MAX = 1_000;
/** Path of a request → file of the release. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ['/', 'index.html'],
  ['/about/', 'about/index.html'],
  ['/assets/app.js', 'assets/app.js'],
  ['/assets/large.css', 'assets/large.css'],
  ['/nothing-here', '404.html'],
]);

/** One answer, as a client saw it. */
interface Seen {
  readonly node: string;
  readonly release: number;
  readonly isCompressed: boolean;
  readonly askedMs: number;
  readonly answeredMs: number;
}

interface Watch {
  readonly seen: readonly Seen[];
  /** What no client may ever see, in words. */
  readonly failures: readonly string[];
}

await describeOnStores('release switches', (kind) => {
  const scene = useScene(kind, { name: 'release-switch' });
  const folder = mkdtempSync(join(tmpdir(), 'b8s-release-'));
  let watch: Watch;

  beforeAll(async () => {
    const { cluster } = scene();
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('news', HOST) });
    writeRelease(folder, 0);
    await publish(scene(), 'news', folder);
    watch = await watchSwitches(scene(), folder);
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test(`under a loop of requests to all nodes during ${SWITCHES} switches no request fails, and every response is byte for byte one release's`, () => {
    expect(watch.failures.slice(0, 10)).toEqual([]);
    expect(watch.seen.some(({ isCompressed }) => isCompressed)).toBe(true);
    for (const { name } of scene().nodes) {
      const releases = new Set(
        watch.seen.filter((each) => each.node === name).map((each) => each.release),
      );
      expect(releases.has(0) && releases.has(SWITCHES)).toBe(true);
    }
  });

  test('no node goes back to an older release after it answered with a newer one', () => {
    const backward = scene().nodes.flatMap(({ name }) =>
      stepsBack(watch.seen.filter((each) => each.node === name)),
    );
    expect(backward).toEqual([]);
  });

  test('all nodes switch within 1 second of each other', () => {
    const spreadsMs = Array.from({ length: SWITCHES }, (_, index) =>
      spreadOf(watch.seen, index + 1),
    );
    const sorted = spreadsMs.toSorted((a, b) => a - b);
    const [median, most] = [sorted[SWITCHES / 2] ?? 0, sorted.at(-1) ?? 0];
    console.log(
      `${kind}: ${watch.seen.length} responses; spread of ${SWITCHES} switches: median ${median.toFixed(0)} ms, most ${most.toFixed(0)} ms`,
    );
    expect(most).toBeLessThan(SPREAD_MS_MAX);
  });
});

/** Pushes the releases one after another while clients ask all nodes all the time. */
async function watchSwitches(scene: Scene, folder: string): Promise<Watch> {
  const seen: Seen[] = [];
  const failures: string[] = [];
  const over = new AbortController();
  const clients = scene.nodes.flatMap((node) =>
    browsers(scene.ca()).map(async ({ name, client, coding }) => {
      await askAll(
        { node, client, coding, who: `${name} at ${node.name}` },
        { seen, failures },
        over.signal,
      );
      client.close();
    }),
  );
  try {
    for (let release = 1; release <= SWITCHES; release += 1) {
      writeRelease(folder, release);
      await scene.cluster.b8sctlOk(['push', folder, '--site', 'news']);
      await until(
        `release ${release} is seen everywhere`,
        async () => {
          const nodes = seen.filter((each) => each.release === release).map((each) => each.node);
          return new Set(nodes).size === scene.nodes.length;
        },
        { timeoutMs: 30_000, everyMs: 20 },
      );
    }
  } finally {
    over.abort();
    await Promise.all(clients);
  }
  return { seen, failures };
}

interface Client {
  readonly name: string;
  readonly client: Browser;
  /** Left out: files as they are. */
  readonly coding?: string | undefined;
}

function browsers(ca: string): readonly Client[] {
  const kept = http2Browser(HOST, ca, { keepAlive: true });
  return [
    // Compressed forms come a little later than the release that they are of.
    { name: 'HTTP/2, compressed', client: kept, coding: 'br' },
    { name: 'HTTP/1.1, kept', client: browser(HOST, ca, { keepAlive: true }) },
    { name: 'HTTP/1.1, cold', client: browser(HOST, ca, { keepAlive: false }) },
    { name: 'HTTP/2, kept', client: http2Browser(HOST, ca, { keepAlive: true }) },
    { name: 'HTTP/2, cold', client: http2Browser(HOST, ca, { keepAlive: false }) },
  ];
}

/** One client: one request after another, each file in turn, until told to end. */
async function askAll(
  {
    node,
    client,
    coding,
    who,
  }: Omit<Client, 'name'> & { readonly node: NodeOptions; readonly who: string },
  { seen, failures }: { readonly seen: Seen[]; readonly failures: string[] },
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const [path, file] = [...PATHS][turn % PATHS.size] ?? ['/', 'index.html'];
    const askedMs = performance.now();
    try {
      const headers = coding === undefined ? {} : { 'accept-encoding': coding };
      const page = await client.get(edgeOf(node), path, headers);
      const answeredMs = performance.now();
      const text = decoded(page).toString('latin1');
      const release = Number(/release (\d+)/.exec(text)?.[1] ?? Number.NaN);
      const status = file === '404.html' ? 404 : 200;
      if (page.status !== status || text !== contentOf(file, release)) {
        failures.push(
          `${who}: ${path}: ${page.status}, ${text.length} bytes of release ${release}`,
        );
      } else {
        const isCompressed = page.headers['content-encoding'] !== undefined;
        seen.push({ node: node.name, release, isCompressed, askedMs, answeredMs });
      }
    } catch (error) {
      failures.push(`${who}: ${path}: ${String(error)}`);
    }
  }
}

function decoded({ headers, body }: Page): Buffer {
  return headers['content-encoding'] === 'br' ? brotliDecompressSync(body) : body;
}

/** Answers older than one that had come before they were asked for. */
function stepsBack(seen: readonly Seen[]): readonly string[] {
  const byAnswer = seen.toSorted((a, b) => a.answeredMs - b.answeredMs);
  const found: string[] = [];
  let [next, newest] = [0, -1];
  for (const each of seen.toSorted((a, b) => a.askedMs - b.askedMs)) {
    for (
      let done = byAnswer[next];
      done !== undefined && done.answeredMs <= each.askedMs;
      done = byAnswer[next]
    ) {
      newest = Math.max(newest, done.release);
      next += 1;
    }
    if (each.release < newest) found.push(`${each.node}: ${each.release} after ${newest}`);
  }
  return found;
}

/** Between the first and the last node's first answer with that release, in milliseconds. */
function spreadOf(seen: readonly Seen[], release: number): number {
  const firstMs = new Map<string, number>();
  for (const each of seen) {
    if (each.release !== release) continue;
    firstMs.set(
      each.node,
      Math.min(each.answeredMs, firstMs.get(each.node) ?? Number.POSITIVE_INFINITY),
    );
  }
  return Math.max(...firstMs.values()) - Math.min(...firstMs.values());
}

function writeRelease(folder: string, release: number): void {
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
