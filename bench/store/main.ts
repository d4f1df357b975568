import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { etcdStore } from '../../dom/store/etcd/etcd-store.ts';
import { sqliteStore } from '../../dom/store/sqlite/sqlite-store.ts';
import { etcdMissing, startEtcd } from '../../e2e/support/etcd.ts';
import type { Store } from '../../runtime/store/store.ts';

// Durable commits per second of the two stores, and how long one takes while all is being listed.
// Run: node bench/store/main.ts [seconds per line, 5 by default]

const seconds = Number(process.argv[2] ?? 5);
const VALUE = JSON.stringify({ spec: 'x'.repeat(1_000) });
const LISTED_KEYS = 20_000;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  try {
    const sqlite = await sqliteStore({ file: join(folder, 'store.db') });
    await measure('sqlite', sqlite);
    await sqlite.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const missing = await etcdMissing();
  if (missing !== undefined) {
    console.log(`etcd: not measured, ${missing}`);
    return;
  }
  const server = await startEtcd();
  const etcd = etcdStore({ hosts: [server.endpoint] });
  await measure('etcd', etcd);
  await etcd.close();
  await server.stop();
}

async function measure(name: string, store: Store): Promise<void> {
  print(name, '1 writer', await write(store, { writers: 1, durationMs: seconds * 1_000 }));
  print(name, '100 writers', await write(store, { writers: 100, durationMs: seconds * 1_000 }));
  const first = await fill(store);
  print(name, '1 writer', await write(store, { writers: 1, durationMs: seconds * 1_000 }));
  for (const [what, revision] of [
    ['the present', undefined],
    ['the past', first],
  ] as const) {
    const stop = new AbortController();
    const listing = listAll(store, { revision, signal: stop.signal });
    const samples = await write(store, { writers: 1, durationMs: seconds * 1_000 });
    stop.abort();
    const { lists, pageMs } = await listing;
    print(name, `1 writer, listing ${what}`, samples);
    const keysPerS = Math.round((lists * LISTED_KEYS) / seconds);
    console.log(`${name.padEnd(7)}   listed ${keysPerS} keys/s, page p50 ${at(pageMs, 0.5)} ms`);
  }
}

/** Returns how long each commit took, in milliseconds. */
async function write(
  store: Store,
  { writers, durationMs }: { readonly writers: number; readonly durationMs: number },
): Promise<readonly number[]> {
  const endMs = performance.now() + durationMs;
  const samples: number[] = [];
  const writer = async (_: unknown, index: number): Promise<void> => {
    for (;;) {
      const startMs = performance.now();
      if (startMs > endMs) return;
      const key = `/bench/${index}`;
      await store.commit({ guards: [], writes: [{ kind: 'put', key, value: VALUE }] });
      samples.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return samples;
}

/** Makes the keys that are listed, each with a past; returns the revision before their last one. */
async function fill(store: Store): Promise<bigint> {
  let revision = 0n;
  for (let round = 0; round < 2; round += 1) {
    revision = (await store.list('/list/', { limit: 1 })).revision;
    for (let index = 0; index < LISTED_KEYS; index += 50) {
      const writes = Array.from({ length: 50 }, (_, offset) => ({
        kind: 'put' as const,
        key: `/list/${String(index + offset).padStart(8, '0')}`,
        value: VALUE,
      }));
      await store.commit({ guards: [], writes });
    }
  }
  return revision;
}

async function listAll(
  store: Store,
  options: { readonly revision: bigint | undefined; readonly signal: AbortSignal },
): Promise<{ readonly lists: number; readonly pageMs: readonly number[] }> {
  const pageMs: number[] = [];
  let keys = 0;
  let afterKey = '';
  let { revision } = options;
  while (!options.signal.aborted) {
    const startMs = performance.now();
    const at = revision === undefined ? {} : { revision };
    const page = await store.list('/list/', { afterKey, ...at });
    pageMs.push(performance.now() - startMs);
    keys += page.items.length;
    afterKey = page.more ? (page.items.at(-1)?.key ?? '') : '';
    revision = page.more ? page.revision : options.revision;
  }
  return { lists: keys / LISTED_KEYS, pageMs };
}

function print(name: string, what: string, samples: readonly number[]): void {
  const rate = String(Math.round(samples.length / seconds)).padStart(6);
  const latency = [0.5, 0.99, 1].map((share) => at(samples, share).padStart(6)).join(' ');
  console.log(`${name.padEnd(7)} ${what.padEnd(30)} ${rate} commits/s, p50 p99 max ${latency} ms`);
}

function at(samples: readonly number[], share: number): string {
  const sorted = samples.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return (sorted[index] ?? 0).toFixed(1);
}

await main();
