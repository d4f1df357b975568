import { afterEach, describe, expect, test, vi } from 'vitest';
import { blobPath, type Digest, digestOf } from '../runtime/content/digest.ts';
import type { SmallBlobs } from '../runtime/content/small-blobs.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import { grpcDom } from '../runtime/node/grpc/dialer.ts';
import { BLOBS_PATH } from '../runtime/node/https-dom.ts';
import { operationsHandler, type PlainRequest } from '../runtime/node/plain-http.ts';
import { openTestPort, type TestPort } from '../runtime/node/test-port.ts';
import type { Identity } from '../runtime/tls/authority.ts';
import { withBlobs } from './blob-port.ts';
import { Blobs } from './blobs/blobs.ts';
import type { Term } from './dom.ts';

const london: Identity = { kind: 'node', name: 'london', uid: 'uid-1' };
const files = ['one', '', 'x'.repeat(200_000), 'y'.repeat(200_000), 'z'.repeat(200_000)];
const digests = files.map((text) => digestOf(Buffer.from(text)));
const secret = digestOf(Buffer.from('secret'));
const never = new AbortController().signal;
const operations = operationsHandler({ isServing: () => true, renderMetrics: async () => '' });

let port: TestPort | undefined;
afterEach(() => port?.close());

async function dom() {
  const disk = memoryDisk();
  const blobs = new Blobs(disk, { next: () => 0.5, bytes: (count) => new Uint8Array(count) });
  for (const [index, text] of files.entries())
    await disk.write(blobPath(digests[index] ?? secret), Buffer.from(text));
  await disk.write(blobPath(secret), Buffer.from('secret'));
  const sent = { bytes: 0, open: 0 };
  const term = {
    blobs,
    blobAccess: { allowed: async (_: Identity, digest: string) => digest !== secret },
    peers: {
      upload: () => {
        sent.open += 1;
        return {
          sent: (bytes: number) => void (sent.bytes += bytes),
          end: () => void (sent.open -= 1),
        };
      },
    },
  };
  const handler = withBlobs({ leading: async () => term as unknown as Term }, operations);
  return { disk, blobs, sent, handler };
}

async function node(handler: Awaited<ReturnType<typeof dom>>['handler']) {
  port = await openTestPort({ http: handler });
  const { london: credentials, authority, address } = port;
  return grpcDom(() => ({
    ...{ keyPem: credentials.keyPem, certificatePem: credentials.chainPem },
    ...{ caPem: authority.caPem, domAddresses: [address] },
  }));
}

async function read(answer: SmallBlobs | 'unknown'): Promise<readonly (string | number)[]> {
  if (answer === 'unknown') return [answer];
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.pieces) pieces.push(piece);
  const all = Buffer.concat(pieces).toString();
  let at = 0;
  return answer.heads.map((head) => {
    if (typeof head === 'string') return head;
    at += head;
    return all.slice(at - head, at);
  });
}

describe('a node that asks for several blobs', () => {
  test('gets as many as fit into one answer, one behind the other', async () => {
    const { handler, sent } = await dom();
    const ours = await node(handler);
    const [one = '', empty = '', x = '', y = ''] = files;
    expect(await read(await ours.fetchSmall(digests, never))).toEqual([
      ...[one, empty, x, y, 'TOO_LARGE'],
    ]);
    await expect.poll(() => sent).toEqual({ bytes: 400_003, open: 0 });
    ours.close();
  });

  test('gets none that its plan does not name, that is missing or has rotted', async () => {
    const { handler, disk } = await dom();
    const ours = await node(handler);
    const missing = digestOf(Buffer.from('missing'));
    const [first = secret, , large = secret] = digests;
    disk.rot(blobPath(large), 100_000);
    const wanted = [secret, missing, large, first];
    expect(await read(await ours.fetchSmall(wanted, never))).toEqual([
      ...['PERMISSION_DENIED', 'NOT_FOUND', 'NOT_FOUND', 'one'],
    ]);
    // Whoever pushes it again is asked for it.
    expect(await disk.stat(blobPath(large))).toBeUndefined();
    ours.close();
  });

  test('is answered from memory that is used again, and never mixes two answers up', async () => {
    const { handler, sent } = await dom();
    const ours = await node(handler);
    const asked = Array.from({ length: 60 }, (_, index) => {
      const wanted = digests.slice(index % 4, (index % 4) + 2);
      const expected = files.slice(index % 4, (index % 4) + 2);
      return ours
        .fetchSmall(wanted, never)
        .then(read)
        .then((found) => [found, expected] as const);
    });
    for (const [found, expected] of await Promise.all(asked)) expect(found).toEqual(expected);
    await expect.poll(() => sent.open).toBe(0);
    ours.close();
  });

  test('and goes away leaves nothing behind', async () => {
    const { handler, sent } = await dom();
    const ours = await node(handler);
    const over = new AbortController();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => ours.fetchSmall(digests, over.signal)),
    );
    over.abort(new Error('not wanted any more'));
    for (const answer of answers) await expect(read(answer)).rejects.toThrow();
    await expect.poll(() => sent.open).toBe(0);
    ours.close();
  });

  test('hears from a dom whose disk fails that it failed, and may ask so again', async () => {
    const { handler, blobs, sent } = await dom();
    const ours = await node(handler);
    const reading = vi.spyOn(blobs, 'readInto').mockRejectedValueOnce(new Error('EIO'));
    await expect(ours.fetchSmall(digests, never)).rejects.toThrow('dom failed to answer');
    expect(sent).toEqual({ bytes: 0, open: 0 });
    reading.mockRestore();
    expect((await read(await ours.fetchSmall(digests, never)))[0]).toBe('one');
    ours.close();
  });

  test('hears from a dom that knows no such questions, and fetches one by one', async () => {
    const { handler } = await dom();
    const older: typeof handler = (request) =>
      request.method === 'POST' ? operations(request) : handler(request);
    const ours = await node(older);
    expect(await ours.fetchSmall(digests, never)).toBe('unknown');
    const [first = secret] = digests;
    const pieces: Uint8Array[] = [];
    for await (const piece of ours.fetch(first, 0, never)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('one');
    expect(await ours.fetchSmall(digests, never)).toBe('unknown');
    ours.close();
  });
});

describe('a question that is none', () => {
  const question = (more: Partial<PlainRequest>): PlainRequest => ({
    ...{ method: 'POST', path: BLOBS_PATH, identity: london, header: () => undefined },
    body: async () => Buffer.from(digests.join('\n')),
    pieces: () => {
      throw new Error('it was read');
    },
    ...more,
  });
  const tooMany = Array.from<Digest>({ length: 129 }).fill(secret).join('\n');

  test.each<[string, Partial<PlainRequest>, number]>([
    ['from nobody', { identity: undefined }, 403],
    ['from a user', { identity: { kind: 'user', name: 'anna' } as Identity }, 403],
    ['is empty', { body: async () => Buffer.alloc(0) }, 400],
    ['names a path', { body: async () => Buffer.from('../../etc/passwd') }, 400],
    ['names too many', { body: async () => Buffer.from(tooMany) }, 400],
    ['is too long', { body: async () => 'too large' }, 400],
    ['breaks off', { body: async () => 'cut' }, 400],
  ])('%s: is refused', async (_, more, status) => {
    const { handler, sent } = await dom();
    const answer = await handler(question(more));
    expect(answer.status).toBe(status);
    expect(sent).toEqual({ bytes: 0, open: 0 });
  });

  test('of a stranger is not even read', async () => {
    const { handler } = await dom();
    const body = () => Promise.reject(new Error('it was read'));
    expect((await handler(question({ identity: undefined, body }))).status).toBe(403);
  });
});
