import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { findAddon } from './addon.ts';

const HOST = '127.0.0.1';
const BATCH = 10;
/** A busy machine is no failure. */
const WAIT = { timeout: 15_000 };
const compiler = process.env['CC'] ?? 'cc';
const isPossible = findAddon().kind === 'found' && spawnSync(compiler, ['--version']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'b8s-sends-'));
const shim = join(folder, 'faulty-sends.so');
if (isPossible) {
  const source = fileURLToPath(new URL('./faulty-sends.c', import.meta.url));
  execFileSync(compiler, ['-shared', '-fPIC', '-o', shim, source, '-ldl']);
}
afterAll(() => rmSync(folder, { recursive: true }));

/** What comes of ten answers in one batch, and of the next one, and which errors are told. */
async function ofBatch(faults: string): Promise<{
  readonly answered: readonly number[];
  readonly errors: readonly string[];
}> {
  const entry = fileURLToPath(new URL('./echo-process.fixture.ts', import.meta.url));
  const env = { ...process.env, LD_PRELOAD: shim, FAULTS: faults };
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const socket = createSocket('udp4');
  try {
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toHaveLength(1), WAIT);
    const port = Number(lines[0]);
    const heard: string[] = [];
    socket.on('message', (reply) => heard.push(String(reply)));
    socket.send('sleep', port, HOST);
    await vi.waitFor(() => expect(lines).toHaveLength(2), WAIT);
    for (let count = 0; count < BATCH; count += 1) socket.send(`${count}`, port, HOST);
    await vi.waitFor(() => expect(heard).toContain('sleep'), WAIT);
    await vi.waitFor(() => {
      socket.send('after', port, HOST);
      expect(heard).toContain('after');
    }, WAIT);
    const answered = heard.filter((text) => /^\d$/.test(text)).map(Number);
    return { answered: answered.toSorted((a, b) => a - b), errors: lines.slice(2) };
  } finally {
    socket.close();
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
}

const all = Array.from({ length: BATCH }, (_, index) => index);

/** The first letter is the answer to `sleep`. */
test.skipIf(!isPossible).each([
  { when: 'as it should be', faults: '.', lost: [], errors: [] },
  { when: 'a part, an interruption, a part', faults: '.ppip', lost: [], errors: [] },
  {
    when: 'one that may not be sent costs only itself',
    faults: '.pid',
    lost: [1],
    errors: ['send 1 answers: EPERM'],
  },
  { when: 'no room for any', faults: '.f', lost: all, errors: ['send 10 answers: EAGAIN'] },
  {
    when: 'no room after the second',
    faults: '.ppn',
    lost: all.slice(2),
    errors: ['send 8 answers: ENOBUFS'],
  },
])('ten answers, $when', async ({ faults, lost, errors }) => {
  const { answered, errors: told } = await ofBatch(faults);
  expect(answered).toEqual(all.filter((index) => !lost.includes(index)));
  expect(told).toEqual(errors);
});
