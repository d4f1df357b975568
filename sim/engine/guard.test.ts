import { spawnSync } from 'node:child_process';
import { createHash, createHmac, generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { guarded } from './guard.ts';

const date = new Date(0);

describe('what depends on the real world throws inside a simulated one, with the place', () => {
  test.each<{ readonly name: string; readonly use: () => unknown }>([
    { name: 'Date.now', use: () => Date.now() },
    { name: 'new Date()', use: () => new Date() },
    { name: 'Date()', use: () => Date() },
    { name: 'Math.random', use: () => Math.random() },
    { name: 'setTimeout', use: () => setTimeout(() => undefined, 1) },
    { name: 'setInterval', use: () => clearInterval(setInterval(() => undefined, 1)) },
    { name: 'setImmediate', use: () => setImmediate(() => undefined) },
    { name: 'queueMicrotask', use: () => queueMicrotask(() => undefined) },
    { name: 'process.nextTick', use: () => process.nextTick(() => undefined) },
    { name: 'timers.promises.setTimeout', use: () => sleep(1) },
    { name: 'setTimeout', use: () => promisify(setTimeout)(1) },
    { name: 'performance.now', use: () => performance.now() },
    { name: 'performance.timeOrigin', use: () => performance.timeOrigin },
    { name: 'process.hrtime', use: () => process.hrtime() },
    { name: 'process.hrtime', use: () => process.hrtime.bigint() },
    { name: 'AbortSignal.timeout', use: () => AbortSignal.timeout(1) },
    { name: 'Atomics.wait', use: () => Atomics.wait(shared(), 0, 0, 1) },
    { name: 'WeakRef', use: () => new WeakRef(date) },
    { name: 'FinalizationRegistry', use: () => new FinalizationRegistry(() => undefined) },
    { name: 'MessageChannel', use: () => closed(new MessageChannel()) },
    { name: 'crypto.randomUUID', use: () => crypto.randomUUID() },
    { name: 'crypto.getRandomValues', use: () => crypto.getRandomValues(Buffer.alloc(1)) },
    { name: 'crypto.randomBytes', use: () => randomBytes(1) },
    { name: 'crypto.randomInt', use: () => randomInt(2) },
    { name: 'crypto.generateKeyPairSync', use: () => generateKeyPairSync('ed25519') },
    { name: 'crypto.subtle.digest', use: () => crypto.subtle.digest('SHA-256', Buffer.alloc(1)) },
    { name: 'fetch', use: () => void fetch('data:,').catch(() => undefined) },
    { name: 'net.connect', use: () => connect(1, '127.0.0.1').on('error', () => undefined) },
    { name: 'dgram.createSocket', use: () => createSocket('udp4').close() },
    { name: 'http.createServer', use: () => createServer() },
    { name: 'fs.readFileSync', use: () => readFileSync(import.meta.filename) },
    { name: 'fs.promises.readFile', use: () => readFile(import.meta.filename) },
    { name: 'fs.promises.stat', use: () => stat(import.meta.filename) },
    { name: 'child_process.spawnSync', use: () => spawnSync('true') },
    { name: 'worker_threads.Worker', use: () => new Worker('', { eval: true }) },
    { name: 'os.hostname', use: () => hostname() },
    { name: 'process.env', use: () => process.env['TZ'] },
    { name: 'process.env', use: () => 'TZ' in process.env },
    { name: 'process.env', use: () => Object.keys(process.env) },
    { name: 'process.pid', use: () => process.pid },
    { name: 'process.memoryUsage', use: () => process.memoryUsage() },
    { name: 'process.memoryUsage', use: () => process.memoryUsage.rss() },
    { name: 'process.cwd', use: () => process.cwd() },
    { name: 'time zone', use: () => new Date(2027, 0) },
    { name: 'time zone', use: () => new Date('2027-01-15T08:00') },
    { name: 'Date.parse', use: () => Date.parse('15 Jan 2027') },
    { name: 'Date.getHours', use: () => date.getHours() },
    { name: 'Date.toString', use: () => `${date}` },
    { name: 'Date.toLocaleString', use: () => date.toLocaleString() },
    { name: 'Intl.DateTimeFormat', use: () => new Intl.DateTimeFormat('en') },
    { name: 'Intl.NumberFormat', use: () => new Intl.NumberFormat() },
    { name: 'String.localeCompare', use: () => 'a'.localeCompare('b') },
    { name: 'Number.toLocaleString', use: () => (1).toLocaleString() },
  ])('$name: $use', async ({ name, use }) => {
    const message = new RegExp(
      `${literal(name)}.* in a simulated world at .*guard\\.test\\.ts:\\d`,
    );
    await expect(guarded(async () => use())).rejects.toThrow(message);
    // It works again after it.
    expect(() => use()).not.toThrow();
  });
});

describe('what is a calculation goes on', () => {
  test.each<{ readonly name: string; readonly use: () => unknown; readonly gives: unknown }>([
    { name: 'a time', use: () => new Date(0).toISOString(), gives: '1970-01-01T00:00:00.000Z' },
    { name: 'its class', use: () => new Date(0) instanceof Date, gives: true },
    { name: 'a text', use: () => Date.parse('1970-01-01T00:00:01Z'), gives: 1000 },
    { name: 'a day', use: () => Date.parse('1970-01-02'), gives: 86_400_000 },
    { name: 'no time', use: () => Date.parse(''), gives: Number.NaN },
    { name: 'a digest', use: () => createHash('md5').digest('hex').length, gives: 32 },
    { name: 'a seal', use: () => createHmac('md5', 'key').digest('hex').length, gives: 32 },
    { name: 'gzip', use: () => gzipSync('').length, gives: 20 },
    { name: 'an order', use: () => 'a'.localeCompare('b', 'en'), gives: -1 },
    { name: 'a promise', use: () => Promise.resolve(1).then((one) => one + 1), gives: 2 },
    { name: 'a clone', use: () => structuredClone([1]), gives: [1] },
  ])('$name', async ({ use, gives }) => {
    expect(await guarded(async () => use())).toEqual(gives);
  });
});

test('who swallows the error does not get away with it', async () => {
  const quiet = guarded(async () => {
    await readFile(import.meta.filename).catch(() => undefined);
    try {
      Date.now();
    } catch {
      return 'fine';
    }
    return 'not even refused';
  });
  await expect(quiet).rejects.toThrow(/fs\.promises\.readFile .*guard\.test/);
});

test('a package is held to the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-guard-'));
  try {
    const place = join(folder, 'node_modules/clocks/index.mjs');
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, 'export const now = () => Date.now();');
    const { now } = (await import(/* @vite-ignore */ place)) as { now: () => number };
    await expect(guarded(async () => now())).rejects.toThrow(/Date\.now .*clocks\/index\.mjs:1/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a module that is loaded while a world runs is named, with who loads it', () => {
  const lazy = `await guarded(() => import('${join(import.meta.dirname, 'random.ts')}'))`;
  const script = `import { guarded } from '${join(import.meta.dirname, 'guard.ts')}'; ${lazy};`;
  const args = ['--input-type=module', '--eval', script];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/loading of .*random\.ts .*simulated world at .*eval1?\]:1:\d+/);
});

test('a world that ends leaves another one under guard', async () => {
  const long = Promise.withResolvers<void>();
  const other = guarded(() => long.promise.then(() => Date.now()));
  await guarded(async () => undefined);
  long.resolve();
  await expect(other).rejects.toThrow('Date.now');
  expect(Date.now()).toBeGreaterThan(0);
});

function literal(text: string): string {
  return text.replaceAll(/[.()]/g, '\\$&');
}

function shared(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

function closed({ port1 }: MessageChannel): void {
  port1.close();
}
