import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Server, type ServerDuplexStream } from '@grpc/grpc-js';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { grpcDom } from '../../runtime/node/grpc/dialer.ts';
import { rawAgentService } from '../../runtime/node/grpc/session.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import { listenTls } from '../../runtime/node/tls/port.ts';
import type { NodeCredentials } from '../../runtime/session/enrolment.ts';
import type { Link } from '../../runtime/session/link.ts';
import { DOM_SERVER_NAME } from '../../runtime/tls/server-names.ts';

/*
 * What grpc-js itself costs: a server in a process of its own sends MESSAGE_BYTES to every stream,
 * each answers with a few bytes. Nothing that is built on grpc-js can be faster than this.
 */
const MESSAGE_BYTES = 2048;
const DAY_MS = 24 * 60 * 60 * 1000;
const DIALS_MAX = 25;
const DIAL_PAUSE_MS = 100;

if (process.argv[2] === 'floor-server') await serve();

/** How long each of `rounds` rounds took until the server had the last answer, in milliseconds. */
export async function measureFloor(options: {
  readonly sessions: number;
  readonly rounds: number;
}): Promise<readonly number[]> {
  const child = fork(import.meta.filename, ['floor-server']);
  try {
    const [credentials] = (await once(child, 'message')) as [NodeCredentials];
    const links = await openLinks(credentials, options.sessions);
    const samplesMs: number[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const startMs = performance.now();
      child.send('round');
      await once(child, 'message');
      samplesMs.push(performance.now() - startMs);
    }
    for (const { close } of links) close();
    return samplesMs;
  } finally {
    child.kill();
  }
}

async function openLinks(
  credentials: NodeCredentials,
  count: number,
): Promise<readonly { readonly close: () => void }[]> {
  const links: { readonly close: () => void }[] = [];
  const numbers = Array.from({ length: count }).keys();
  const opener = async (): Promise<void> => {
    for (const _ of numbers) {
      const dom = grpcDom(() => credentials);
      const link = await dom.dial(new AbortController().signal);
      const { promise, resolve } = Promise.withResolvers<void>();
      void answerAll(link, resolve).catch(() => undefined);
      link.send(Buffer.from('hello'));
      await promise;
      links.push({
        close: () => {
          link.close();
          dom.close();
        },
      });
      await new Promise((done) => setTimeout(done, DIAL_PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: Math.min(DIALS_MAX, count) }, opener));
  return links;
}

async function answerAll(link: Link, onFrame: () => void): Promise<void> {
  for await (const _frame of link.frames()) {
    onFrame();
    link.send(Buffer.from('acknowledged'));
  }
}

async function serve(): Promise<void> {
  const [clock, random] = [systemClock(), systemRandom()];
  const ca = await generateCa({ clock, random, name: 'bench' });
  const authority = await createAuthority({ ...ca, clock, random });
  const names = [DOM_SERVER_NAME];
  const own = await authority.issueServer({ names, keyType: 'ecdsa-p256', lifetimeMs: DAY_MS });
  const identity = { kind: 'node', name: 'bench', uid: 'bench' } as const;
  const client = await authority.issueClient({ identity, lifetimeMs: DAY_MS });

  const calls = new Set<ServerDuplexStream<Buffer, Buffer>>();
  const message = Buffer.alloc(MESSAGE_BYTES, 'x');
  let missing = 0;
  const server = new Server();
  server.addService(
    { session: rawAgentService.session },
    {
      session: (call: ServerDuplexStream<Buffer, Buffer>) => {
        calls.add(call);
        call.on('error', () => calls.delete(call));
        call.on('data', (bytes: Buffer) => {
          if (bytes.toString() === 'hello') call.write(message);
          else if (missing > 0 && --missing === 0) process.send?.('done');
        });
      },
    },
  );
  const credentials = { certPem: own.chainPem, keyPem: own.keyPem, caPem: ca.caPem };
  const port = await listenTls({
    ...{ host: '127.0.0.1', port: 0, credentials, grpc: server, log: silentLog },
    http: async () => ({ status: 404, contentType: 'text/plain', body: '' }),
  });
  process.on('message', () => {
    missing = calls.size;
    for (const call of calls) call.write(message);
  });
  process.send?.({
    domAddresses: [`127.0.0.1:${port.port}`],
    ...{ caPem: ca.caPem, keyPem: client.keyPem, certificatePem: client.chainPem },
  });
}
