import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeOf } from '../../runtime/node/close-of.ts';
import { browser, http2Browser } from '../support/https.ts';
import { describeOnStores, edgeOf, publish, siteYaml, useScene } from '../support/scene.ts';

const HOST = 'target.example.test';
const SECRET = 'never to be seen';
const LARGE_BYTES = 20 * 1024 * 1024;
/** What many clients who read nothing may cost beside what is there anyway. */
const GROWTH_BYTES_MAX = 200 * 1024 * 1024;

await describeOnStores(
  'attacks on an edge',
  (kind) => {
    const scene = useScene(kind, { name: 'attacks', nodes: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-attacks-'));
    const sockets: Socket[] = [];

    beforeAll(async () => {
      writeFileSync(join(folder, 'index.html'), '<h1>normal</h1>');
      writeFileSync(join(folder, 'large.bin'), Buffer.alloc(LARGE_BYTES, 'large'));
      const { cluster } = scene();
      await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('target', HOST) });
      await publish(scene(), 'target', folder);
      // Two steps above the blobs.
      writeFileSync(join(cluster.subDir('sydney'), 'secret.txt'), SECRET);
    }, 240_000);
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
      rmSync(folder, { recursive: true, force: true });
    });

    async function secure(protocol: 'http/1.1' | 'h2'): Promise<Socket> {
      const { address, port } = edgeOf(scene().node('sydney'));
      const socket = connectTls({
        ...{ host: address, port, servername: HOST, ca: scene().ca() },
        ALPNProtocols: [protocol],
      });
      sockets.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      return socket;
    }

    async function exchange(text: string): Promise<string> {
      const socket = await secure('http/1.1');
      let said = '';
      socket.on('data', (piece: Buffer) => {
        said += piece.toString('latin1');
      });
      socket.write(text, 'latin1');
      await closeOf(socket);
      return said;
    }

    async function expectNextIsAnswered(): Promise<void> {
      const edge = edgeOf(scene().node('sydney'));
      for (const open of [browser, http2Browser]) {
        const client = open(HOST, scene().ca(), { keepAlive: false });
        const page = await client.get(edge, '/');
        expect([page.status, page.body.toString()]).toEqual([200, '<h1>normal</h1>']);
        client.close();
      }
    }

    const get = (target: string, host = HOST): string =>
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;

    test.each([
      { when: 'dots', target: '/../../secret.txt', status: 400 },
      { when: 'encoded dots', target: '/%2e%2e/%2E%2E/secret.txt', status: 400 },
      { when: 'encoded slashes', target: '/..%2f..%2fsecret.txt', status: 400 },
      { when: 'dots encoded twice', target: '/%252e%252e/%252e%252e/secret.txt', status: 404 },
      { when: 'slashes encoded twice', target: '/..%252f..%252fsecret.txt', status: 404 },
      { when: 'backslashes', target: '/..\\..\\secret.txt', status: 400 },
      { when: 'encoded backslashes', target: '/..%5c..%5csecret.txt', status: 400 },
      { when: 'long forms of a dot', target: '/%c0%ae%c0%ae/secret.txt', status: 400 },
      { when: 'full-width dots', target: '/%ef%bc%8e%ef%bc%8e/secret.txt', status: 404 },
      { when: 'NUL', target: '/index.html%00.png', status: 400 },
      { when: 'a path parameter', target: '/..;/..;/secret.txt', status: 404 },
      { when: 'two slashes', target: '//secret.txt', status: 404 },
      { when: 'a path of the disk', target: '/etc/passwd', status: 404 },
      { when: 'a blob by its path', target: '/blobs/sha256', status: 404 },
      { when: 'no path', target: 'secret.txt', status: 400 },
      { when: 'a long one', target: `/${'a'.repeat(17_000)}`, status: 414 },
      { when: 'a whole URL of another host', target: 'https://other.test/', status: 421 },
    ])('a target with $when is answered $status', async ({ target, status }) => {
      const said = await exchange(get(target));
      expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'));
      expect(said).not.toContain(SECRET);
      expect(said).not.toContain('root:');
      await expectNextIsAnswered();
    });

    test.each([
      { host: 'other.example.test', status: 421 },
      { host: '../../etc', status: 400 },
      { host: '__proto__', status: 421 },
      { host: `${HOST}.`, status: 200 },
      { host: `${HOST}:1`, status: 200 },
      { host: '', status: 400 },
    ])('the host "$host" is answered $status', async ({ host, status }) => {
      expect(await exchange(get('/', host))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'));
      await expectNextIsAnswered();
    });

    test('a whole URL counts, not the host beside it (RFC 9112 §3.2.2)', async () => {
      const said = await exchange(get(`https://${HOST}/`, 'other.example.test'));
      expect(said).toContain('<h1>normal</h1>');
    });

    test('an idle crowd, on both ports and halfway into TLS, keeps nobody out', async () => {
      const { address, httpPort, httpsPort } = scene().node('sydney');
      const area = address.split('.')[1] ?? '0';
      for (let index = 0; index < 2000; index += 1) {
        const port = index % 2 === 0 ? httpPort : httpsPort;
        const localAddress = `127.${area}.1.${1 + (index % 10)}`;
        const socket = connectTcp({ host: address, port, localAddress });
        sockets.push(socket.on('error', () => undefined).resume());
        await once(socket, 'connect');
        if (index % 4 === 1) socket.write(Buffer.of(22, 3, 1, 2, 0, 1));
      }
      await expectNextIsAnswered();
    });

    test('clients who ask for large files and read none take little memory and few open files', async () => {
      const pid = scene().cluster.subs.get('sydney')?.pid ?? 0;
      const before = residentBytes(pid);
      for (let connection = 0; connection < 60; connection += 1) {
        const socket = await secure('h2');
        socket.pause();
        socket.write(Buffer.concat([PREFACE, WINDOWS, ...largeRequests()]));
      }
      for (let connection = 0; connection < 60; connection += 1) {
        const socket = await secure('http/1.1');
        socket.pause();
        socket.write(get('/large.bin'));
      }
      await expectNextIsAnswered();
      expect(residentBytes(pid) - before).toBeLessThan(GROWTH_BYTES_MAX);
      const files = readdirSync(`/proc/${pid}/fd`).length;
      // Those of the idle crowd above and of this one.
      expect(files).toBeLessThan(sockets.length + 200);
    });
  },
  ['sqlite'],
);

/** Also of processes that `sub` was started through: all of its group. */
function residentBytes(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return 4096 * Number(pages);
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** SETTINGS: streams may send as much as they like at first; and the connection as well. */
const WINDOWS = Buffer.concat([
  frame(4, 0, 0, Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff)),
  frame(8, 0, 0, Buffer.of(0x7f, 0, 0, 0)),
]);

function largeRequests(): readonly Buffer[] {
  const literal = (index: number, value: string): Buffer =>
    Buffer.concat([Buffer.of(index, value.length), Buffer.from(value)]);
  const block = Buffer.concat([Buffer.of(0x82, 0x87), literal(1, HOST), literal(4, '/large.bin')]);
  return Array.from({ length: 100 }, (_, index) => frame(1, 5, 1 + 2 * index, block));
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}
