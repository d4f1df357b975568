import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type DurableStoreFixture,
  storeRestartCases,
} from '../../../runtime/store/restart.case.ts';
import { storeCases } from '../../../runtime/store/store.case.ts';
import { sqliteStore } from './sqlite-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-sqlite-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

storeCases('sqliteStore', openFixture);
storeRestartCases('sqliteStore', openFixture);

// Few recent changes are kept, so that the cases reach the reading of history too.
async function openFixture(): Promise<DurableStoreFixture> {
  const open = () => sqliteStore({ file: join(folder, 'store.db'), recentChangesMax: 64 });
  let store = await open();
  return {
    store: () => store,
    pass: (ms) => sleep(ms),
    leaseTtlMs: 3_000,
    restart: async () => {
      await store.close();
      store = await open();
    },
    dispose: () => store.close(),
  };
}

test('tells once when its thread ends unasked, and not when it is closed', async () => {
  const main = new URL('./main.ts', import.meta.url);
  const failing = `await import('${main}'); setTimeout(() => { throw new Error('broken'); }, 2_000);`;
  const worker = new URL(`data:text/javascript,${encodeURIComponent(failing)}`);
  let lost = 0;
  const onLost = (): void => {
    lost += 1;
  };
  const closed = await sqliteStore({ file: join(folder, 'closed.db'), onLost });
  await closed.close();
  expect(lost).toBe(0);
  const broken = await sqliteStore({ file: join(folder, 'broken.db'), worker, onLost });
  await expect.poll(() => lost).toBe(1);
  await expect(broken.get('/a')).rejects.toThrow(/closed/);
});

describe('the file', () => {
  test('is refused while another has it open, and free again afterwards', async () => {
    const file = join(folder, 'store.db');
    const first = await sqliteStore({ file });
    await expect(sqliteStore({ file })).rejects.toThrow(/in use by another process/);
    await first.close();
    const second = await sqliteStore({ file });
    await second.close();
  });

  test('is refused when it is no database', async () => {
    const file = join(folder, 'store.db');
    await writeFile(file, 'not a database'.repeat(1000));
    await expect(sqliteStore({ file })).rejects.toThrow(/not a store, or corrupt.*backup/);
  });

  test('is refused when it is cut short', async () => {
    const file = join(folder, 'store.db');
    const store = await sqliteStore({ file });
    for (let index = 0; index < 50; index += 1) {
      const value = 'x'.repeat(10_000);
      await store.commit({ guards: [], writes: [{ kind: 'put', key: `/${index}`, value }] });
    }
    await store.close();
    await truncate(file, 100_000);
    await expect(sqliteStore({ file })).rejects.toThrow(/corrupt.*backup/);
  });

  test('is refused when it is another program’s, or of a newer format', async () => {
    const foreign = join(folder, 'foreign.db');
    const database = new DatabaseSync(foreign);
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    await expect(sqliteStore({ file: foreign })).rejects.toThrow(/another program/);
    const newer = join(folder, 'newer.db');
    await (await sqliteStore({ file: newer })).close();
    const upgraded = new DatabaseSync(newer);
    upgraded.exec('PRAGMA user_version = 9');
    upgraded.close();
    await expect(sqliteStore({ file: newer })).rejects.toThrow(/format 9.*newer b8s.*upgrade/);
  });

  test('is refused when its folder is absent', async () => {
    const file = join(folder, 'absent', 'store.db');
    await expect(sqliteStore({ file })).rejects.toThrow(/does its folder exist/);
  });

  test('calls after close, and watches, fail with a reason', async () => {
    const store = await sqliteStore({ file: join(folder, 'store.db') });
    const signal = new AbortController().signal;
    const watch = store.watch('/', { afterRevision: 1n, signal })[Symbol.asyncIterator]();
    const next = expect(watch.next()).rejects.toThrow(/closed/);
    await store.close();
    await next;
    await expect(store.get('/a')).rejects.toThrow(/closed/);
    await store.close();
  });
});

test('group commit: commits that wait share a transaction, and so an fsync', async () => {
  const store = await sqliteStore({ file: join(folder, 'store.db') });
  const before = await store.stats();
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      store.commit({ guards: [], writes: [{ kind: 'put', key: `/${index}`, value: '1' }] }),
    ),
  );
  const after = await store.stats();
  expect(new Set(outcomes.map(({ revision }) => revision)).size).toBe(200);
  expect(after.commits - before.commits).toBe(200);
  expect(after.transactions - before.transactions).toBeLessThan(50);
  await store.close();
});

test('compaction gives room back, whatever runs meanwhile', async () => {
  const file = join(folder, 'store.db');
  const store = await sqliteStore({ file });
  let revision = 0n;
  for (let round = 0; round < 60; round += 1) {
    const commits = Array.from({ length: 50 }, (_, index) =>
      store.commit({
        guards: [],
        writes: [
          { kind: 'put', key: `/a/${index}`, value: String(round) },
          { kind: round % 2 === 0 ? 'put' : 'delete', key: `/b/${index}`, value: '1' },
        ],
      }),
    );
    revision = (await Promise.all(commits)).at(-1)?.revision ?? 0n;
  }
  await store.compact(revision);
  await store.commit({ guards: [], writes: [{ kind: 'put', key: '/last', value: '1' }] });
  const page = await store.list('/');
  expect(page.items.map(({ value }) => value)).toEqual([...Array(50).fill('59'), '1']);
  // Each stretch of the sweep is a transaction of its own; wait until there are no more.
  for (let last = -1; last !== (await store.stats()).transactions; ) {
    last = (await store.stats()).transactions;
    await sleep(50);
  }
  await store.close();
  const database = new DatabaseSync(file);
  expect(database.prepare('SELECT count(*) AS rows FROM log').get()).toEqual({ rows: 51 });
  database.close();
});

describe('INV-8: kill -9', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('in the midst of commits loses none that was acknowledged', async () => {
    const file = join(folder, 'store.db');
    const acknowledged = new Map<string, bigint>();
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', WRITER], {
        env: { FILE: file, ROUND: String(round), STORE: storeUrl },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [key = '', revision = ''] = line.split(' ');
        acknowledged.set(key, BigInt(revision));
        lines += 1;
        if (lines === 300) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode).toBe('SIGKILL');
      const store = await sqliteStore({ file });
      let newest = 0n;
      for (const [key, revision] of acknowledged) {
        expect(await store.get(key)).toMatchObject({ modRevision: revision });
        newest = revision > newest ? revision : newest;
      }
      expect((await store.list('/')).revision).toBeGreaterThanOrEqual(newest);
      await store.close();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(900);
  });
});

const storeUrl = new URL('./sqlite-store.ts', import.meta.url).href;

/** Writes for ever, from several writers, and prints what was acknowledged. */
const WRITER = `
  import { writeSync } from 'node:fs';
  const { sqliteStore } = await import(process.env.STORE);
  const store = await sqliteStore({ file: process.env.FILE });
  function print(line) {
    for (;;) {
      try {
        return writeSync(1, line);
      } catch (error) {
        // The reader is behind, and the pipe full.
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  }
  async function write(writer) {
    for (let index = 0; ; index += 1) {
      const key = '/' + [process.env.ROUND, writer, index].join('/');
      const { revision } = await store.commit({
        guards: [{ key, modRevision: 0n }],
        writes: [{ kind: 'put', key, value: 'x'.repeat(500) }],
      });
      print(key + ' ' + revision + '\\n');
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
`;
