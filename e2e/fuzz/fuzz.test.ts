import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('six seconds of fuzzing an edge over TCP, TLS and HTTP/2', async () => {
  const main = join(import.meta.dirname, 'http/main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--minutes', '0.1']);
  expect(Number(/http: (\d+) connections/.exec(stdout)?.[1])).toBeGreaterThan(100);
});

test('six seconds of fuzzing over sockets and by coverage; more: make fuzz MINUTES=n', async () => {
  const main = join(import.meta.dirname, 'main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--minutes', '0.1']);
  expect(Number(/sockets: (\d+) queries/.exec(stdout)?.[1])).toBeGreaterThan(1000);
  expect(stdout).toMatch(/answer: \d+ runs/);
});
