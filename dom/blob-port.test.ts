import { afterEach, expect, test } from 'vitest';
import { BlobOffsetError } from '../runtime/content/blob-source.ts';
import { digestOf } from '../runtime/content/digest.ts';
import { grpcDom } from '../runtime/node/grpc/dialer.ts';
import { operationsHandler } from '../runtime/node/plain-http.ts';
import { openTestPort, type TestPort } from '../runtime/node/test-port.ts';
import { RequestError } from '../runtime/request-error.ts';
import type { Identity } from '../runtime/tls/authority.ts';
import { withBlobs } from './blob-port.ts';
import type { Dom, Term } from './dom.ts';

const page = Buffer.from('the page '.repeat(50_000));
const digest = digestOf(page);
const signal = new AbortController().signal;
const operations = operationsHandler({ isServing: () => true, renderMetrics: async () => '' });

interface Upload {
  sentBytes: number;
  phase: 'sending' | 'over';
}

let port: TestPort | undefined;
afterEach(() => port?.close());

/** A port with one blob, which breaks off after `cutBytes` where it is told to. */
async function start(more: { readonly cutBytes?: number; readonly leads?: false } = {}) {
  const uploads: Upload[] = [];
  const asked: Identity[] = [];
  const { cutBytes = page.length } = more;
  async function* chunks(offsetBytes: number) {
    for (let at = offsetBytes; at < page.length; at += 64_000) {
      if (at >= cutBytes) throw new Error('the disk failed');
      yield page.subarray(at, at + 64_000);
    }
  }
  const term = {
    blobAccess: {
      allowed: async (node: Identity, wanted: string) => {
        asked.push(node);
        return wanted === digest;
      },
    },
    blobs: {
      open: async (_: string, offsetBytes: number) => {
        if (offsetBytes > page.length) throw new RequestError('OUT_OF_RANGE', 'it ends before');
        return { sizeBytes: page.length, chunks: chunks(offsetBytes) };
      },
    },
    peers: {
      upload: () => {
        const upload: Upload = { sentBytes: 0, phase: 'sending' };
        uploads.push(upload);
        return {
          sent: (bytes: number) => void (upload.sentBytes += bytes),
          end: () => void (upload.phase = 'over'),
        };
      },
    },
  };
  const dom = {
    leading: async () => {
      if (more.leads === false) throw new RequestError('UNAVAILABLE', 'another dom leads');
      return term as unknown as Term;
    },
  } satisfies Pick<Dom, 'leading'>;
  port = await openTestPort({ http: withBlobs(dom, operations) });
  const { london, authority, address } = port;
  const node = grpcDom(() => ({
    ...{ keyPem: london.keyPem, certificatePem: london.chainPem, caPem: authority.caPem },
    domAddresses: [address],
  }));
  const fetch = async (offsetBytes = 0, wanted = digest): Promise<Buffer> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of node.fetch(wanted, offsetBytes, signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  return { uploads, asked, fetch, close: () => node.close() };
}

test.each([0, 1, 300_000, page.length - 1])('a node gets a blob from byte %i on', async (from) => {
  const { fetch, uploads, asked, close } = await start();
  expect((await fetch(from)).equals(page.subarray(from))).toBe(true);
  const whole = [{ sentBytes: page.length - from, phase: 'over' }];
  await expect.poll(() => uploads).toEqual(whole);
  expect(asked).toMatchObject([{ kind: 'node', name: 'london' }]);
  close();
});

test('many at once share a few connections', async () => {
  const { fetch, close } = await start();
  const all = await Promise.all(Array.from({ length: 40 }, () => fetch()));
  expect(all.every((bytes) => bytes.equals(page))).toBe(true);
  expect(port?.port.connectionCount()).toBeLessThanOrEqual(4);
  close();
});

test('what its plan does not name is refused, and said why', async () => {
  const { fetch, close } = await start();
  const other = digestOf(Buffer.from('another'));
  await expect(fetch(0, other)).rejects.toThrow(`${other} is not in the plan of london`);
  close();
});

test('a blob that ends before the offset says so as such', async () => {
  const { fetch, close } = await start();
  await expect(fetch(page.length + 1)).rejects.toBeInstanceOf(BlobOffsetError);
  close();
});

test('one that breaks off is not taken for a shorter one', async () => {
  const { fetch, uploads, close } = await start({ cutBytes: 200_000 });
  await expect(fetch()).rejects.toThrow();
  await expect.poll(() => uploads).toMatchObject([{ phase: 'over' }]);
  close();
});

test('a dom that does not lead says so', async () => {
  const { fetch, close } = await start({ leads: false });
  await expect(fetch()).rejects.toThrow('another dom leads');
  close();
});
