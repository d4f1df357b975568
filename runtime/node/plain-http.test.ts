import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { afterEach, expect, test } from 'vitest';
import type { BodyLimits, PlainHandler } from './plain-http.ts';
import { openTestPort, type TestPort } from './test-port.ts';

let port: TestPort | undefined;
afterEach(() => port?.close());

/** A port that says what it was sent. */
async function start(limits: BodyLimits): Promise<void> {
  const http: PlainHandler = async (asked) => {
    const body = await asked.body(limits);
    const text = typeof body === 'string' ? `(${body})` : body.toString();
    return { status: 200, contentType: 'text/plain', body: `${asked.header('x-a')} ${text}` };
  };
  port = await openTestPort({ http });
}

/** `send` writes what there is to write. */
function ask(
  send: (asked: ClientRequest) => void,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<string> {
  const options = { host: '127.0.0.1', port: port?.port.port, method: 'POST', path: '/' };
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...options, rejectUnauthorized: false, headers: { 'x-a': 'b', ...headers } },
      (response) => {
        let text = '';
        response.on('data', (piece) => (text += String(piece)));
        response.once('end', () => {
          asked.destroy();
          resolve(text);
        });
      },
    );
    asked.once('error', reject);
    send(asked);
  });
}

const LIMITS: BodyLimits = { bytesMax: 10, timeoutMs: 30_000 };

test.each([
  { when: 'there is none', pieces: [], text: '' },
  { when: 'it is as long as may be', pieces: ['01234', '56789'], text: '0123456789' },
  { when: 'it is longer', pieces: ['01234', '567890'], text: '(too large)' },
])('a body when $when', async ({ pieces, text }) => {
  await start(LIMITS);
  const answer = await ask((asked) => {
    for (const piece of pieces) asked.write(piece);
    asked.end();
  });
  expect(answer).toBe(`b ${text}`);
});

test('one that says it is too long is answered before it is sent', async () => {
  await start(LIMITS);
  const answer = await ask((asked) => asked.flushHeaders(), { 'content-length': '11' });
  expect(answer).toBe('b (too large)');
});

test('one that does not come in time is cut', async () => {
  await start({ bytesMax: 10, timeoutMs: 20 });
  const answer = await ask((asked) => asked.write('012'), { 'content-length': '10' });
  expect(answer).toBe('b (cut)');
});

test('of a header that comes twice there is one', async () => {
  await start(LIMITS);
  expect(await ask((asked) => asked.end(), { 'x-a': ['c', 'd'] })).toMatch(/^c/);
});
