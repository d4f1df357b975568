import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { POSTED_BYTES_MAX } from '../poster.ts';
import { nodePoster } from './poster.ts';
import { testCertificate } from './tls/test-certificate.ts';

const signal = new AbortController().signal;
const certificate = await testCertificate(['localhost']);

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer, tls?: 'tls'): Promise<number> {
  const options = { key: certificate.keyPem, cert: certificate.chainPem };
  const server = tls === 'tls' ? createTlsServer(options, answer) : createServer(answer);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function post(url: string, more: { caBundle?: string; signal?: AbortSignal } = {}) {
  const { signal: until = signal, ...rest } = more;
  return nodePoster.post({ url, headers: { 'x-a': 'b' }, body: 'ü', ...rest }, until);
}

test('what is posted arrives, and the answer comes back', async () => {
  let got = '';
  const port = await serve((request, response) => {
    request.on('data', (piece) => (got += String(piece)));
    request.on('end', () => {
      got += ` ${request.method} ${request.url} ${request.headers['x-a']}`;
      response.writeHead(201, { 'retry-after': '7' }).end('fine');
    });
  });
  const answer = await post(`http://127.0.0.1:${port}/a?b`);
  expect(answer).toEqual({ status: 201, text: 'fine', retryAfterMs: 7_000 });
  expect(got).toBe('ü POST /a?b b');
});

test('a redirect is an answer, and is not followed', async () => {
  let calls = 0;
  const port = await serve((_request, response) => {
    calls += 1;
    response.writeHead(307, { location: '/elsewhere', 'retry-after': 'Wed, 21 Oct 2026' }).end();
  });
  expect(await post(`http://127.0.0.1:${port}/`)).toEqual({ status: 307, text: '' });
  expect(calls).toBe(1);
});

test('an answer without end is read up to a bound', async () => {
  const port = await serve((_request, response) => {
    response.on('error', () => undefined);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1_000)));
    };
    response.on('drain', more);
    more();
  });
  const { text } = await post(`http://127.0.0.1:${port}/`);
  expect(text).toBe('x'.repeat(POSTED_BYTES_MAX));
});

test('a CA of one’s own is trusted where it is named, and nobody without', async () => {
  const port = await serve((_request, response) => response.end('ok'), 'tls');
  const url = `https://localhost:${port}/very-secret`;
  expect(await post(url, { caBundle: certificate.chainPem })).toMatchObject({ text: 'ok' });
  const refused = await post(url).catch((error: unknown) => String(error));
  expect(refused).toMatch(/^Error: ask localhost:\d+: self-signed certificate/);
  expect(refused).not.toContain('very-secret');
});

test('who does not answer is waited for until the signal says otherwise', async () => {
  const port = await serve(() => undefined);
  const stopping = new AbortController();
  const posting = post(`http://127.0.0.1:${port}/`, { signal: stopping.signal });
  stopping.abort(new Error('dom stops'));
  await expect(posting).rejects.toThrow('dom stops');
});

test.each(['http://127.0.0.1:1/', 'https://127.0.0.1:1/'])('%s: nobody is there', async (url) => {
  await expect(post(url)).rejects.toThrow(/^ask 127\.0\.0\.1:1: .*ECONNREFUSED/);
});
