import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { CutBodyError } from './body-pieces.ts';
import type { PlainHandler } from './plain-http.ts';
import { openTestPort, type TestPort } from './test-port.ts';

let port: TestPort | undefined;
afterEach(() => port?.close());

/** A port that reads what it is sent, after `beforeEach`; how much, and how it ended. */
async function start(
  idleMs: number,
  beforeEach: () => Promise<void> = async () => undefined,
): Promise<{ readonly sizeBytes: () => number; readonly end: Promise<unknown> }> {
  const end = Promise.withResolvers<unknown>();
  let sizeBytes = 0;
  const http: PlainHandler = async ({ pieces }) => {
    try {
      for await (const piece of pieces({ idleMs })) {
        sizeBytes += piece.byteLength;
        await beforeEach();
      }
      end.resolve('whole');
    } catch (error) {
      end.resolve(error);
    }
    return { status: 200, contentType: 'text/plain', body: 'thanks' };
  };
  port = await openTestPort({ http });
  return { sizeBytes: () => sizeBytes, end: end.promise };
}

function post(): ClientRequest {
  const where = { host: '127.0.0.1', port: port?.port.port, method: 'POST', path: '/' };
  const asked = request({ ...where, rejectUnauthorized: false });
  asked.on('error', () => undefined);
  return asked;
}

test('a body comes whole', async () => {
  const { sizeBytes, end } = await start(30_000);
  const asked = post();
  for (let index = 0; index < 8; index += 1) asked.write(Buffer.alloc(100_000));
  asked.end();
  expect(await end).toBe('whole');
  expect(sizeBytes()).toBe(800_000);
});

test('one that is empty, too', async () => {
  const { sizeBytes, end } = await start(30_000);
  post().end();
  expect(await end).toBe('whole');
  expect(sizeBytes()).toBe(0);
});

test('one whose sender goes away is cut', async () => {
  const { end } = await start(30_000);
  const asked = post();
  asked.write('some', () => asked.destroy());
  expect(await end).toBeInstanceOf(CutBodyError);
});

test('one whose sender falls silent is cut', async () => {
  const { end } = await start(20);
  post().write('some');
  expect(await end).toBeInstanceOf(CutBodyError);
});

test('whoever takes it slowly is not taken for a silent sender, and gets it no faster', async () => {
  const go = Promise.withResolvers<void>();
  const { sizeBytes, end } = await start(1_000, () => go.promise);
  const asked = post();
  let flushed = 0;
  for (let index = 0; index < 900; index += 1)
    asked.write(Buffer.alloc(1000), () => void (flushed += 1));
  asked.end();
  await expect.poll(sizeBytes).toBeGreaterThan(0);
  // Longer than a sender may be silent.
  await sleep(1_200);
  go.resolve();
  expect(await end).toBe('whole');
  expect(sizeBytes()).toBe(900_000);
  expect(flushed).toBe(900);
});
