import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { type HttpListener, listenHttp } from '../../runtime/node/http-listener.ts';
import { createTlsContexts } from '../../runtime/node/tls/contexts.ts';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { createEdge } from './edge.ts';
import type * as Respond from './respond.ts';

/*
 * That usual answers cost a look-up is what an edge's speed comes from, and nobody would see it in
 * an answer if they did not. So the answers that are made are counted, through a real port, among
 * requests of all kinds.
 */
const asked = vi.hoisted(() => ({ made: [] as string[] }));
vi.mock('./respond.ts', async (importOriginal) => {
  const real = await importOriginal<typeof Respond>();
  const respond: typeof real.respond = (request, ...rest) => {
    asked.made.push(request.path);
    return real.respond(request, ...rest);
  };
  return { ...real, respond };
});

const HOST = '127.0.0.1';
const SITE = 'site.test';
const FILES = 10;
const BROWSER = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'accept-language': 'de,en;q=0.5',
  'accept-encoding': 'gzip, deflate, br, zstd',
  referer: `https://${SITE}/`,
  cookie: 'theme=dark; session=1',
  'sec-fetch-mode': 'navigate',
};
type Fields = Readonly<Record<string, string>>;

let listener: HttpListener;
let paths: readonly string[];

beforeAll(async () => {
  const disk = memoryDisk();
  const put = async (text: string): Promise<Digest> => {
    const bytes = Buffer.from(text);
    await disk.write(blobPath(digestOf(bytes)), bytes);
    return digestOf(bytes);
  };
  paths = Array.from({ length: FILES }, (_, index) => `/assets/page-${index}.css`);
  const forms = new Map<Digest, [{ coding: 'br'; digest: Digest; sizeBytes: number }]>();
  const files = await Promise.all(
    ['/index.html', '/404.html', ...paths].map(async (path) => {
      const text = `${path} `.repeat(100);
      const digest = await put(text);
      const form = `${path} in short`;
      forms.set(digest, [{ coding: 'br', digest: await put(form), sizeBytes: form.length }]);
      const contentType = path.endsWith('.css') ? 'text/css' : 'text/html';
      return { path: path.slice(1), digest, sizeBytes: text.length, contentType };
    }),
  );
  const release = await put(Buffer.from(encodeManifest(files)).toString());
  const index = await put(Buffer.from(encodeVariants(forms)).toString());
  const edge = createEdge({ disk, nodeName: 'london', log: silentLog });
  const site = { uid: 'u', namespace: 'default', name: 'site', hosts: [SITE], release };
  const rules = {
    ...{ notFoundPage: '404.html', singlePageApp: false, switchedAtS: 1_000_000_000 },
    headers: [{ path: '/*', name: 'x-rule', value: ':splat' }],
    redirects: [],
    variants: [{ release, index, absent: [] }],
  };
  await edge.apply(1, { sites: [{ ...site, ...rules }], certificates: [], httpsPort: 443 });
  const contexts = createTlsContexts();
  contexts.replace(new Map([[SITE, await testCertificate([SITE])]]));
  const given = { addresses: [HOST], httpPort: 0, httpsPort: 0, contexts };
  listener = await listenHttp({ ...given, handler: edge.handler });
});

afterAll(() => listener.close({ graceMs: 0 }));
beforeEach(() => {
  asked.made.length = 0;
});

interface Client {
  get(path: string, fields?: Fields & { readonly method?: string }): Promise<Got>;
  close(): void;
}

interface Got {
  readonly status: number;
  readonly etag: string;
  readonly coding: string;
  readonly body: string;
}

function http1Client(): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  return {
    async get(path, { method = 'GET', ...fields } = {}) {
      const request = httpsRequest({
        ...{ host: HOST, port: listener.httpsPort, servername: SITE, path, method, agent },
        ...{ rejectUnauthorized: false, headers: { host: SITE, ...fields } },
      });
      request.end();
      const [message] = (await once(request, 'response')) as [IncomingMessage];
      const { etag = '', 'content-encoding': coding = '' } = message.headers;
      return { status: message.statusCode ?? 0, etag, coding, body: await text(message) };
    },
    close: () => agent.destroy(),
  };
}

function http2Client(): Client {
  const session = connect(`https://${SITE}`, {
    ...{ host: HOST, port: listener.httpsPort, servername: SITE, rejectUnauthorized: false },
  });
  return {
    async get(path, { method = 'GET', ...fields } = {}) {
      const stream = session.request({ ':path': path, ':method': method, ...fields });
      stream.end();
      const [headers] = (await once(stream, 'response')) as [Record<string, string>];
      const { etag = '', 'content-encoding': coding = '' } = headers;
      return { status: Number(headers[':status']), etag, coding, body: await text(stream) };
    },
    close: () => session.destroy(),
  };
}

/** What browsers, crawlers and monitors ask for, a page and its style sheets at a time. */
async function askUsual(client: Client): Promise<readonly Got[]> {
  const got: Got[] = [];
  for (const path of ['/', ...paths]) {
    const first = await client.get(path, BROWSER);
    const bare = await client.get(path);
    const again = await client.get(path, { ...BROWSER, 'if-none-match': first.etag });
    const renewed = await client.get(path, { ...BROWSER, 'if-none-match': '"of the one before"' });
    got.push(first, bare, again, renewed);
  }
  return got;
}

/** What is made each time, and looks at more of a request than most do. */
const UNUSUAL: readonly (Fields & { readonly method?: string; readonly path?: string })[] = [
  { range: 'bytes=0-9' },
  { range: 'bytes=0-9,20-29' },
  { range: 'bytes=0-9', 'if-range': '"none"' },
  { range: 'bytes=90000-' },
  { 'if-match': '"none"' },
  { 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
  { path: '/404.html', 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
  { authorization: 'Basic YTpi' },
  { method: 'HEAD' },
  { method: 'OPTIONS' },
  { method: 'POST' },
  { path: '/none' },
  { path: '/assets/../assets/page-1.css' },
  { path: '/index.html' },
  { path: '/?query' },
  { 'accept-encoding': 'identity;q=0' },
];

test.each([
  { spoken: 'HTTP/1.1', open: http1Client },
  { spoken: 'HTTP/2', open: http2Client },
])('usual requests are answered from memory, whatever else is asked for: $spoken', async (it) => {
  const client = it.open();
  try {
    const first = await askUsual(client);
    // Each page as it is and in short, that it is still the same, and that it is not.
    expect(asked.made.length).toBeLessThanOrEqual(4 * (FILES + 1));
    expect(new Set(first.map(({ status, coding }) => `${status} ${coding}`))).toEqual(
      new Set(['200 br', '200 ', '304 ']),
    );
    for (const { path = '/assets/page-2.css', ...fields } of UNUSUAL)
      await client.get(path, { ...BROWSER, ...fields });
    asked.made.length = 0;
    expect(await askUsual(client)).toEqual(first);
    expect(asked.made).toEqual([]);
  } finally {
    client.close();
  }
});
