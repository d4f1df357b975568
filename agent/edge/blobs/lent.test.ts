import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import type { HttpHandler } from '../../../runtime/http.ts';
import { nodeDiskReader } from '../../../runtime/node/disk-reader.ts';
import { listenHttp } from '../../../runtime/node/http-listener.ts';
import { createTlsContexts } from '../../../runtime/node/tls/contexts.ts';
import { type BlobSource, createBlobSource } from './blob-source.ts';
import { createMemoryCache } from './memory-cache.ts';

/** Memory that is read into again must never be seen by who still looks at what was there before. */
const folder = mkdtempSync(join(tmpdir(), 'b8s-lent-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FILES = 200;
const SIZE_BYTES = 8192;
const blobs: Digest[] = [];
beforeAll(() => {
  for (let index = 0; index < FILES; index += 1) {
    const bytes = contentOf(index);
    const path = join(folder, blobPath(digestOf(bytes)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    blobs.push(digestOf(bytes));
  }
});

function contentOf(index: number): Buffer {
  return Buffer.alloc(SIZE_BYTES, `file ${index};`);
}

/** Room in memory for ten of the files. */
function open(): BlobSource {
  const cache = createMemoryCache({ budgetBytes: 10 * SIZE_BYTES, fileBytesMax: SIZE_BYTES });
  return createBlobSource(nodeDiskReader(folder), cache, (blob) => {
    throw new Error(`${blob} is damaged`);
  });
}

function rangeOf(index: number) {
  const digest = blobs[index % FILES] ?? blobs[0];
  if (digest === undefined) throw new Error('there are no blobs');
  return { digest, sizeBytes: SIZE_BYTES, start: 0, end: SIZE_BYTES };
}

test('what is kept in memory stays as it was, whatever is read after it', () => {
  const source = open();
  for (let turn = 0; turn < 3000; turn += 1) {
    const index = turn % 3 === 0 ? turn % 10 : turn % FILES;
    const bytes = source(rangeOf(index), SIZE_BYTES);
    expect(Buffer.compare(bytes as Uint8Array, contentOf(index))).toBe(0);
  }
});

test.each([
  { when: 'who does not say so', lentBytesMax: undefined },
  { when: 'who copies less than that', lentBytesMax: SIZE_BYTES - 1 },
])('$when gets memory of its own', ({ lentBytesMax }) => {
  const source = open();
  const got = blobs.map((_, index) => source(rangeOf(index), lentBytesMax));
  got.forEach((bytes, index) => {
    expect(Buffer.compare(bytes as Uint8Array, contentOf(index))).toBe(0);
  });
});

test('requests that come at once over HTTP/1.1 get each its own file', async () => {
  const source = open();
  const handler: HttpHandler = ({ path, copiedBytesMax }) => {
    const body = source(rangeOf(Number(path.slice(1))), copiedBytesMax);
    if (body instanceof Promise) throw new Error('the disk is not slow');
    return { status: 200, headers: [], body };
  };
  const listening = { addresses: ['127.0.0.1'], httpPort: 0, httpsPort: 0, handler };
  const listener = await listenHttp({ ...listening, contexts: createTlsContexts() });
  try {
    const socket = connect({ host: '127.0.0.1', port: listener.httpPort });
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => void pieces.push(piece));
    const heads = Array.from({ length: FILES }, (_, index) =>
      [`GET /${index} HTTP/1.1`, 'host: a', ...(index === FILES - 1 ? ['connection: close'] : [])]
        .concat('', '')
        .join('\r\n'),
    );
    socket.write(heads.join(''));
    await once(socket, 'end');
    const bodies = Buffer.concat(pieces)
      .toString()
      .split(/HTTP\/1\.1 200 [^]*?\r\n\r\n/u)
      .slice(1);
    expect(bodies).toHaveLength(FILES);
    bodies.forEach((body, index) => expect(body === contentOf(index).toString()).toBe(true));
  } finally {
    await listener.close({ graceMs: 0 });
  }
});
