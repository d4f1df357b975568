import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Also where it fails, and shows its inputs. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

async function fuzz(main: string): Promise<string> {
  const words = [join(import.meta.dirname, main), '--minutes', '0.1'];
  const options = { maxBuffer: OUTPUT_BYTES_MAX };
  return (await promisify(execFile)(process.execPath, words, options)).stdout;
}

test('six seconds of fuzzing an edge over TCP, TLS and HTTP/2', async () => {
  const said = await fuzz('http/main.ts');
  expect(Number(/http: (\d+) connections/.exec(said)?.[1])).toBeGreaterThan(100);
});

test('six seconds of fuzzing over sockets and by coverage; more: make fuzz MINUTES=n', async () => {
  const said = await fuzz('main.ts');
  expect(Number(/sockets: (\d+) queries/.exec(said)?.[1])).toBeGreaterThan(1000);
  expect(said).toMatch(/answer: \d+ runs/);
});
