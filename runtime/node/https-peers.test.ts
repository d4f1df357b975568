import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PEER_SERVER_NAME } from '../content/peer-url.ts';
import type { Peer, PeerAnswer } from '../content/peers.ts';
import { type HttpsPeers, httpsPeers } from './https-peers.ts';
import { selfSignedIdentity } from './tls/self-signed.ts';

const identity = selfSignedIdentity({
  ...{ name: PEER_SERVER_NAME, notBeforeMs: 0, notAfterMs: 1000 },
  serialNumber: Buffer.alloc(16, 1),
});
const other = selfSignedIdentity({
  ...{ name: PEER_SERVER_NAME, notBeforeMs: 0, notAfterMs: 1000 },
  serialNumber: Buffer.alloc(16, 2),
});
const { signal } = new AbortController();
let server: Server | undefined;
let peers: HttpsPeers | undefined;

afterEach(async () => {
  peers?.close();
  server?.closeAllConnections();
  server?.close();
});

async function edge(answer: RequestListener, more: Partial<Peer> = {}): Promise<Peer> {
  server = createServer({ cert: identity.chainPem, key: identity.keyPem }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  peers = httpsPeers();
  const { port } = server.address() as AddressInfo;
  return {
    ...{ node: 'rome', addresses: ['127.0.0.1'], httpsPort: port, untilS: 0 },
    ...{ fingerprint: identity.fingerprint, grant: Buffer.alloc(32), ...more },
  };
}

function get(peer: Peer, offsetBytes = 0): Promise<PeerAnswer> {
  if (peers === undefined) throw new Error('there is no edge');
  return peers.get(peer, { path: '/blob?x', offsetBytes }, signal);
}

async function textOf(answer: PeerAnswer): Promise<string> {
  if (answer.kind !== 'bytes') throw new Error(`it is ${answer.kind}`);
  let text = '';
  for await (const piece of answer.pieces) text += Buffer.from(piece).toString();
  return text;
}

describe('an edge', () => {
  test('is asked by its internal name, whatever the dates of its certificate', async () => {
    const seen: unknown[] = [];
    const peer = await edge((request, response) => {
      seen.push([request.url, request.headers.host, request.headers.range]);
      response.end('the blob');
    });
    expect(await textOf(await get(peer))).toBe('the blob');
    expect(seen).toEqual([['/blob?x', PEER_SERVER_NAME, undefined]]);
  });

  test('that shows another certificate is not asked for anything', async () => {
    let requests = 0;
    const peer = await edge(
      (_, response) => {
        requests += 1;
        response.end('the blob');
      },
      { fingerprint: other.fingerprint },
    );
    await expect(get(peer)).rejects.toThrow('another certificate');
    expect(requests).toBe(0);
  });

  test('is reached by any of its addresses', async () => {
    const addresses = ['127.0.0.2', '127.0.0.1'];
    const peer = await edge((_, response) => response.end('the blob'), { addresses });
    expect(await textOf(await get(peer))).toBe('the blob');
    await expect(get({ ...peer, addresses: ['127.0.0.2'] })).rejects.toThrow('ECONNREFUSED');
    await expect(get({ ...peer, addresses: [] })).rejects.toThrow('no address');
  });

  test('keeps few connections for many blobs', async () => {
    const connections = new Set<unknown>();
    const peer = await edge((request, response) => {
      connections.add(request.socket);
      response.end('the blob');
    });
    const all = await Promise.all(Array.from({ length: 50 }, async () => textOf(await get(peer))));
    expect(all).toEqual(Array(50).fill('the blob'));
    expect(connections.size).toBeLessThanOrEqual(8);
  });

  test('that breaks off is not taken for one with less to say', async () => {
    const peer = await edge((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('the blob');
      setImmediate(() => response.destroy());
    });
    await expect(textOf(await get(peer))).rejects.toThrow();
  });

  const answers: readonly (readonly [
    what: string,
    offsetBytes: number,
    status: number,
    headers: Readonly<Record<string, string>>,
    means: object,
  ])[] = [
    ['the rest', 3, 206, { 'content-range': 'bytes 3-9/10' }, { kind: 'bytes' }],
    ['another part', 3, 206, { 'content-range': 'bytes 2-9/10' }, { kind: 'refused' }],
    ['a part without saying which', 3, 206, {}, { kind: 'refused' }],
    ['all, though the rest was wanted', 3, 200, {}, { kind: 'refused' }],
    ['that it has none of it yet', 0, 503, { 'b8s-held': '0' }, { kind: 'not yet', heldBytes: 0 }],
    ['that it has some', 0, 503, { 'b8s-held': '47' }, { kind: 'not yet', heldBytes: 47 }],
    ['nonsense of what it has', 0, 503, { 'b8s-held': '-1' }, { kind: 'busy' }],
    ['that it has no time', 0, 503, {}, { kind: 'busy' }],
    ['that there are too many', 0, 429, {}, { kind: 'busy' }],
    ['no', 0, 403, {}, { kind: 'denied', why: 'it answered 403' }],
    ['that it is elsewhere', 0, 302, { location: 'https://x/' }, { kind: 'refused' }],
  ];
  test.each(answers)('says %s', async (_what, offsetBytes, status, headers, means) => {
    const seen: (string | undefined)[] = [];
    const peer = await edge((request, response) => {
      seen.push(request.headers.range);
      response.writeHead(status, headers);
      response.end('text');
    });
    expect(await get(peer, offsetBytes)).toMatchObject(means);
    expect(seen).toEqual([offsetBytes === 0 ? undefined : `bytes=${offsetBytes}-`]);
  });

  test('whose refusal has no end costs no more than its connection', async () => {
    const closed = Promise.withResolvers<void>();
    const peer = await edge((_, response) => {
      response.on('close', () => closed.resolve());
      response.writeHead(403);
      const pour = (): void => {
        while (response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', pour);
      pour();
    });
    expect(await get(peer)).toMatchObject({ kind: 'denied' });
    await closed.promise;
  });
});
