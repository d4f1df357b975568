import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { countedRandom } from '../../runtime/fake-random.fixture.ts';
import { silentLog } from '../../runtime/log.ts';
import { type HttpListener, listenHttp } from '../../runtime/node/http-listener.ts';
import { createAlpnProofs } from '../../runtime/node/tls/alpn-proofs.ts';
import { createTlsContexts } from '../../runtime/node/tls/contexts.ts';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { createEdge } from '../edge/edge.ts';
import type { EdgeSnapshot } from '../edge/snapshot.ts';
import { edgeWorker } from './edge-worker.ts';

const HOST = '127.0.0.1';
const SITE = 'site.test';

async function snapshot(): Promise<EdgeSnapshot> {
  const site = { uid: 'u', namespace: 'default', name: 'site', hosts: [SITE] };
  const rules = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
  const options = {
    ...{ canonicalHost: false, hideHtml: false, immutableAssets: false },
    trailingSlash: 'auto',
    ...{ mimeTypes: new Map<string, string>() },
    securityHeaders: 'none',
    accessLog: { format: 'json', percent: 100, clientAddress: 'full' },
  } as const;
  return {
    sites: [{ ...site, ...rules, options }],
    certificates: [await testCertificate([SITE])],
    httpsPort: 443,
  };
}

/** Its status. */
async function postOverHttp1({ httpPort }: HttpListener, method: string): Promise<string> {
  const socket = connect({ host: HOST, port: httpPort });
  let said = '';
  socket.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  socket.write(`${method} /form HTTP/1.1\r\nhost: ${SITE}\r\ncontent-length: 3\r\n\r\na=b`);
  await once(socket, 'end');
  return said.slice('HTTP/1.1 '.length, 'HTTP/1.1 405'.length);
}

async function postOverHttp2({ httpsPort }: HttpListener): Promise<string> {
  const given = { servername: SITE, rejectUnauthorized: false };
  const client = connectHttp2(`https://${HOST}:${httpsPort}`, given);
  try {
    const stream = client.request({
      ...{ ':method': 'POST', ':path': '/form', ':authority': SITE },
    });
    stream.end('a=b');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    return String(headers[':status']);
  } finally {
    client.destroy();
  }
}

test('a request that is refused for its body is in the access log, and is counted', async () => {
  const clock = virtualClock(Date.parse('2027-01-15T12:00:00Z'));
  const random = countedRandom(7);
  let text = '';
  const hand = (lines: readonly { readonly text: string }[]): void => {
    for (const each of lines) text += each.text;
  };
  const parts = { disk: memoryDisk(), nodeName: 'london', log: silentLog };
  const edge = createEdge({ ...parts, accessLog: { clock, random, hand } });
  let listener: HttpListener | undefined;
  const worker = edgeWorker({
    ...{ edge, contexts: createTlsContexts(), proofs: createAlpnProofs(clock, random) },
    ticketKeys: Buffer.alloc(48),
    listen: async (given) => {
      listener = await listenHttp({ ...given, addresses: [HOST], httpPort: 0, httpsPort: 0 });
      return listener;
    },
  });
  await worker.apply(1, { kind: 'edge', edge: await snapshot() });
  if (listener === undefined) throw new Error('it does not listen');
  try {
    expect(await postOverHttp1(listener, 'POST')).toBe('405');
    expect(await postOverHttp1(listener, 'GET')).toBe('413');
    expect(await postOverHttp2(listener)).toBe('405');
  } finally {
    await listener.close({ graceMs: 0 });
  }
  edge.recorder?.flush();
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { method: 'POST', path: '/form', status: 405, protocol: 'HTTP/1.1', host: SITE, bytes: 25 },
    { method: 'GET', path: '/form', status: 413, protocol: 'HTTP/1.1', bytes: 33 },
    { method: 'POST', path: '/form', status: 405, protocol: 'HTTP/2.0' },
  ]);
  expect(worker.takeTraffic?.()).toMatchObject([{ uid: 'u', requests: 3, clientErrors: 3 }]);
});
