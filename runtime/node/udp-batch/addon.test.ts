import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { addonFile, findAddon } from './addon.ts';

const HOST = '127.0.0.1';
const BUFFER_BYTES = 1 << 20;
/** A busy machine is no failure. */
const WAIT = { timeout: 15_000 };
const found = findAddon();

describe('an addon that cannot be used is no error, and the mend is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-addon-'));
  const url = pathToFileURL(`${folder}/`);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    { when: 'it was not built', content: undefined, says: 'there is no' },
    { when: 'it is none', content: 'no library', says: addonFile() },
    { when: 'it is empty', content: '', says: addonFile() },
  ])('$when', ({ content, says }) => {
    if (content !== undefined) writeFileSync(join(folder, addonFile()), content);
    const outcome = findAddon(url);
    expect(outcome).toMatchObject({ kind: 'missing', problem: expect.stringContaining(says) });
    expect(outcome).toMatchObject({ problem: expect.stringContaining('make native') });
  });
});

describe.skipIf(found.kind === 'missing')('the addon', () => {
  if (found.kind === 'missing') return;
  const { addon } = found;
  const workers = new Set<Worker>();
  afterEach(async () => {
    await Promise.all([...workers].map((worker) => worker.terminate()));
    workers.clear();
  });

  async function startWorker(data: {
    readonly port: number;
    readonly mode: 'busy' | 'throw';
  }): Promise<{ readonly worker: Worker; readonly port: number }> {
    const entry = new URL('./busy-worker.fixture.ts', import.meta.url);
    const worker = new Worker(entry, { workerData: data, execArgv: [] });
    workers.add(worker);
    const [port] = (await once(worker, 'message')) as [number];
    return { worker, port };
  }

  async function send(port: number, texts: readonly string[]): Promise<void> {
    const socket = createSocket('udp4');
    for (const text of texts)
      await new Promise((resolve) => socket.send(text, port, HOST, resolve));
    socket.close();
  }

  test('threads end in the middle of batches, while another serves the same port', async () => {
    const { worker: lasting, port } = await startWorker({ port: 0, mode: 'busy' });
    for (let round = 0; round < 8; round += 1) {
      const others = await Promise.all([1, 2].map(() => startWorker({ port, mode: 'busy' })));
      for (const { worker } of others) {
        expect(await worker.terminate()).toBe(1);
        workers.delete(worker);
      }
    }
    const socket = createSocket('udp4');
    socket.send('still', port, HOST);
    const [reply] = (await once(socket, 'message')) as [Buffer];
    expect(String(reply)).toBe('still');
    socket.close();
    expect(await lasting.terminate()).toBe(1);
  }, 60_000);

  test('what a batch throws ends its thread, as of any callback, and no other', async () => {
    const worker = new Worker(new URL('./busy-worker.fixture.ts', import.meta.url), {
      workerData: { port: 0, mode: 'throw' },
      execArgv: [],
    });
    workers.add(worker);
    const [error] = (await once(worker, 'error')) as [Error];
    expect(error.message).toBe('a bug');
  });

  test('memory that was given away ends the socket, and nothing is written to it', async () => {
    let batches = 0;
    const opened = addon.open(HOST, 0, BUFFER_BYTES, () => void (batches += 1));
    if (typeof opened === 'number') throw new Error(`errno ${opened}`);
    const taken = structuredClone(opened.memory, { transfer: [opened.memory] });
    expect(opened.memory.byteLength).toBe(0);
    const before = Buffer.from(taken).toString('hex');
    await send(opened.port, ['one', 'two']);
    // Nobody has the port any more once it was noticed.
    await vi.waitFor(() => {
      const next = createSocket('udp4').bind({ address: HOST, port: opened.port, exclusive: true });
      return once(next, 'listening').finally(() => next.close());
    }, WAIT);
    expect([batches, Buffer.from(taken).toString('hex') === before]).toEqual([0, true]);
    addon.close(opened.handle);
  });

  test('lengths that are none send nothing, and nothing beyond the room', async () => {
    const lengths = [-1, 0x7fffffff, -0x80000000, addon.datagramBytesMax + 1, 0, 4];
    let next = 0;
    const opened = addon.open(HOST, 0, BUFFER_BYTES, (count) => {
      if (typeof opened === 'number') return;
      const replies = new Int32Array(opened.memory, addon.replyBytesAt, addon.batch);
      for (let index = 0; index < count; index += 1) replies[index] = lengths[next++] ?? 0;
      // Of datagrams that did not come there is nothing to answer.
      replies.fill(4, count);
    });
    if (typeof opened === 'number') throw new Error(`errno ${opened}`);
    const socket = createSocket('udp4');
    const heard: number[] = [];
    socket.on('message', ({ length }) => heard.push(length));
    for (const _ of lengths) socket.send('x', opened.port, HOST);
    await vi.waitFor(() => expect([next, heard]).toEqual([lengths.length, [4]]), WAIT);
    socket.close();
    addon.close(opened.handle);
    addon.close(opened.handle);
  });

  test('opened and closed often: no port, handle or memory is left behind', async () => {
    const open = (port: number) => addon.open(HOST, port, BUFFER_BYTES, () => undefined);
    const first = open(0);
    if (typeof first === 'number') throw new Error(`errno ${first}`);
    addon.close(first.handle);
    for (let count = 0; count < 500; count += 1) {
      const again = open(first.port);
      if (typeof again === 'number') throw new Error(`errno ${again}`);
      addon.close(again.handle);
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const next = createSocket('udp4').bind({ address: HOST, port: first.port, exclusive: true });
    await once(next, 'listening');
    next.close();
  });

  test.each([
    { when: 'nothing', given: [] },
    { when: 'no callback', given: [HOST, 0, 0, 'x'] },
    { when: 'no text', given: [1, 0, 0, () => undefined] },
    { when: 'a handle that is none', given: 'close' },
  ])('called with $when: throws', ({ given }) => {
    const { open, close } = addon as unknown as Record<string, (...all: unknown[]) => unknown>;
    expect(() => (given === 'close' ? close?.({}) : open?.(...given))).toThrow(TypeError);
  });

  test.each(['', 'localhost', '1.2.3.4.5', '::1%nowhere', '::1'.padEnd(1000, '0')])(
    '"%.20s" is no address: EINVAL',
    (host) => {
      expect(addon.open(host, 0, BUFFER_BYTES, () => undefined)).toBe(-22);
    },
  );

  test('the same file under another name is the same addon', () => {
    const folder = mkdtempSync(join(tmpdir(), 'b8s-addon-'));
    copyFileSync(new URL(`build/${addonFile()}`, import.meta.url), join(folder, addonFile()));
    expect(findAddon(pathToFileURL(`${folder}/`))).toMatchObject({ kind: 'found' });
    rmSync(folder, { recursive: true });
  });
});
