/**
 * An edge on loopback for the fuzzer, without a supervisor: whatever breaks it is seen. Says `ports
 * HTTP HTTPS` on stdout, now and then `kept N`, the bytes that are left after the garbage was
 * collected (with `--expose-gc`), and on stderr one line for everything that went wrong.
 */
import process from 'node:process';
import { createMemoryCache } from '../../../agent/edge/blobs/memory-cache.ts';
import { createEdge } from '../../../agent/edge/edge.ts';
import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { encodeManifest } from '../../../runtime/content/manifest.ts';
import { memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../../runtime/log.ts';
import { listenHttp } from '../../../runtime/node/http-listener.ts';
import { createTlsContexts } from '../../../runtime/node/tls/contexts.ts';
import { testCertificate } from '../../../runtime/node/tls/test-certificate.ts';
import { LIMITS } from './limits.ts';
import { FUZZED_HOST, NORMAL_TEXT } from './seeds.ts';

const KEPT_INTERVAL_MS = 5_000;

const disk = memoryDisk();
const files = await Promise.all(
  [
    { path: 'index.html', text: NORMAL_TEXT, contentType: 'text/html' },
    { path: '404.html', text: 'nothing here', contentType: 'text/html' },
    { path: 'large.bin', text: 'large'.repeat(100_000), contentType: 'application/octet-stream' },
  ].map(async ({ path, text, contentType }) => {
    const digest = await put(Buffer.from(text));
    return { path, digest, sizeBytes: Buffer.byteLength(text), contentType };
  }),
);
const release = await put(encodeManifest(files));
const edge = createEdge({
  ...{ disk, nodeName: 'fuzzed', log: silentLog },
  cache: createMemoryCache({ budgetBytes: 100_000, fileBytesMax: 1000 }),
});
const site = { uid: 'u', namespace: 'default', name: 'site', hosts: [FUZZED_HOST], release };
const rules = {
  notFoundPage: '404.html',
  singlePageApp: false,
  headers: [{ path: '/*', name: 'x-rule', value: ':splat' }],
  redirects: [],
};
await edge.apply(1, { sites: [{ ...site, ...rules }], certificates: [], httpsPort: 443 });
const contexts = createTlsContexts();
contexts.replace(new Map([[FUZZED_HOST, await testCertificate([FUZZED_HOST])]]));
const { httpPort, httpsPort } = await listenHttp({
  ...{ addresses: ['127.0.0.1'], httpPort: 0, httpsPort: 0, contexts, limits: LIMITS },
  handler: edge.handler,
  onError: (error) =>
    console.error(error instanceof Error ? error.stack?.replaceAll('\n', ' ') : String(error)),
});
console.log(`ports ${httpPort} ${httpsPort}`);
setInterval(sayKept, KEPT_INTERVAL_MS);

async function put(bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await disk.write(blobPath(digest), bytes);
  return digest;
}

function sayKept(): void {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  console.log(`kept ${heapUsed + external}`);
}
