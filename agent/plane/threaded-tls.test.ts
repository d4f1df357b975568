import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { publish, testSite, testSnapshot } from './plane-fixture.ts';
import { get, HOST, openThreads, type ThreadsUnderTest } from './threads.fixture.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

async function open(): Promise<ThreadsUnderTest> {
  const under = await openThreads({ edge: 2, dns: 0 });
  onTestFinished(() => under.close());
  return under;
}

async function serve(under: ThreadsUnderTest, sequence: number, certificate = under.certificate) {
  const release = await publish(under.disk, { 'index.html': 'one' });
  const sites = [testSite({ release, certificate: certificate.fingerprint })];
  const edge = { sites, certificates: [certificate] };
  await under.plane.apply(testSnapshot(sequence, { edge }));
}

async function shake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const given = { host: HOST, port, servername: 'blog.test', rejectUnauthorized: false };
  const socket = connect({ ...given, ...options });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

test.each(VERSIONS)(
  'every worker resumes the %s sessions of the others, until the key changes',
  async (version) => {
    const under = await open();
    await serve(under, 1);
    const versions = { minVersion: version, maxVersion: version } as const;
    const begin = async (): Promise<Buffer> => {
      const socket = connect({
        ...{ host: HOST, port: under.httpsPort, servername: 'blog.test' },
        ...{ rejectUnauthorized: false, ...versions },
      });
      const [session] = (await once(socket, 'session')) as [Buffer];
      socket.destroy();
      return session;
    };
    const resumed = async (session: Buffer): Promise<boolean> => {
      const socket = await shake(under.httpsPort, { session, ...versions });
      const isReused = socket.isSessionReused();
      socket.destroy();
      return isReused;
    };
    const session = await begin();
    // The kernel chooses the worker: by the thirtieth each was asked.
    for (let count = 0; count < 30; count += 1) expect(await resumed(session)).toBe(true);

    const keys = Buffer.alloc(48, 9);
    for (const { worker } of under.spawned) worker.post({ kind: 'tickets', keys });
    await serve(under, 2);
    expect(await resumed(session)).toBe(false);
    const next = await begin();
    for (let count = 0; count < 30; count += 1) expect(await resumed(next)).toBe(true);
  },
);

test('certificates change under load, and no connection and no request is lost', async () => {
  const under = await open();
  const others = await Promise.all([
    testCertificate(['blog.test']),
    testCertificate(['blog.test']),
  ]);
  await serve(under, 1);
  const port = under.httpsPort;
  const stop = new AbortController();
  let answered = 0;
  let [opened, sessionsLost] = [0, 0];
  const seen = new Set<string>();

  async function keepAsking(ask: () => Promise<string>): Promise<void> {
    while (!stop.signal.aborted) {
      expect(await ask()).toBe('one');
      answered += 1;
    }
  }

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (...given) => {
    opened += 1;
    return createConnection(...given);
  };
  const session = openHttp2(port);
  onTestFinished(() => {
    agent.destroy();
    session.destroy();
  });
  session.on('close', () => (sessionsLost += stop.signal.aborted ? 0 : 1));
  const loops = [
    keepAsking(async () => (await get(port, { path: '/', agent })).text),
    keepAsking(() => ask2(session)),
    keepAsking(async () => {
      const socket = await shake(port, {});
      seen.add(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
      socket.destroy();
      return (await get(port, { path: '/' })).text;
    }),
  ];
  const certificates = [...others, under.certificate];
  for (let swap = 0; swap < 21; swap += 1) {
    await serve(under, 2 + swap, certificates[swap % 3]);
    const before = answered;
    await Promise.race([
      expect.poll(() => answered, { interval: 5 }).toBeGreaterThan(before + 9),
      ...loops,
    ]);
  }
  stop.abort();
  await Promise.all(loops);
  expect(seen).toEqual(new Set(certificates.map(({ fingerprint }) => fingerprint)));
  expect([opened, sessionsLost]).toEqual([1, 0]);
  expect(under.plane.state().every(({ restarts }) => restarts === 0)).toBe(true);
});

function openHttp2(port: number): ClientHttp2Session {
  const session = connectHttp2(`https://blog.test:${port}`, {
    createConnection: () =>
      connect({
        ...{ host: HOST, port, servername: 'blog.test', rejectUnauthorized: false },
        ALPNProtocols: ['h2'],
      }),
  });
  session.on('error', () => undefined);
  return session;
}

async function ask2(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({ ':path': '/', ':authority': 'blog.test' });
  return Buffer.concat(await stream.toArray()).toString();
}

test('every worker shows a proof to CAs, and none does once it has gone', async () => {
  const under = await open();
  const digest = new Uint8Array(32).fill(7);
  const proofs = { http: [], alpn: [{ host: 'new.test', token: 't1', digest }] };
  const edge = { sites: [], certificates: [] };
  const report = await under.plane.apply(testSnapshot(1, { edge: { ...edge, proofs } }));
  expect(report.challenges).toEqual(['t1']);
  const look = { servername: 'new.test', ALPNProtocols: ['acme-tls/1'] };
  const serials = new Set<string>();
  for (let count = 0; count < 30; count += 1) {
    const socket = await shake(under.httpsPort, look);
    const { subjectaltname, serialNumber } = socket.getPeerCertificate();
    expect(subjectaltname).toBe('DNS:new.test');
    serials.add(serialNumber);
  }
  // Each worker has made a certificate of its own, once.
  expect(serials.size).toBe(2);
  await under.plane.apply(testSnapshot(2, { edge }));
  for (let count = 0; count < 10; count += 1)
    await expect(shake(under.httpsPort, look)).rejects.toThrow(/alert/u);
});
