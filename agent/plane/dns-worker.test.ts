import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TransferPlan } from '../../proto/gen/b8s/v1/plan.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { dial, read } from '../../runtime/node/dns/client.fixture.ts';
import { type DnsListener, listenDns } from '../../runtime/node/dns/listener.ts';
import { createTlsContexts } from '../../runtime/node/tls/contexts.ts';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { queryBytes } from '../dns/dns.fixture.ts';
import type { HostIdentity } from '../dns/host-identities.ts';
import {
  answers,
  checkSignatures,
  KEY,
  signed,
  transferQuery,
} from '../dns/transfer/secondary.fixture.ts';
import { createDnsEngine } from './dns-engine.ts';
import { dnsWorker } from './dns-worker.ts';
import { testSnapshot, testZone } from './plane-fixture.ts';
import type { WorkerEngine } from './worker.ts';

const HOST = '127.0.0.1';
const SELF = await testCertificate(['self']);
const [OLD, NEW] = await Promise.all([
  testCertificate(['ns1.test', 'old']),
  testCertificate(['ns1.test', 'new']),
]);
const opened: { destroy(): unknown }[] = [];

let worker: WorkerEngine;
let listener: DnsListener | undefined;
let warnings: string[];

beforeEach(() => open(0));

afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await worker.close();
});

function open(tlsPort: number): void {
  const contexts = createTlsContexts();
  warnings = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };
  const tls = { port: tlsPort, identity: SELF, contextFor: contexts.contextFor, contexts };
  worker = dnsWorker({
    ...{ clock: systemClock(), log, tls, dns: createDnsEngine({ nodeName: 'london', log }) },
    listen: async (answer) => {
      listener = await listenDns({ addresses: [HOST], port: 0, answer, tls });
      return listener;
    },
  });
}

async function apply(
  serial: number,
  given: { readonly identities?: readonly HostIdentity[]; readonly transfer?: TransferPlan } = {},
): Promise<void> {
  const { identities = [], transfer } = given;
  const zones = [testZone(serial, { transfer })];
  const { dns } = testSnapshot(serial, { dns: { zones, identities } });
  await worker.apply(serial, { kind: 'dns', dns, databases: [] });
}

async function dialTls(servername?: string): Promise<TLSSocket> {
  const port = listener?.tlsPort ?? 0;
  const named = servername === undefined ? {} : { servername };
  const socket = connectTls({ port, host: HOST, rejectUnauthorized: false, ...named });
  opened.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}

async function serialOf(socket: TLSSocket): Promise<number> {
  socket.write(framed(queryBytes('test', 'SOA')));
  const bytes = Buffer.from(await read(socket, 40), 'latin1');
  const [line = ''] = answers([bytes.subarray(2)]);
  return Number(line.split(' ')[5]);
}

describe('DNS over TLS', () => {
  test('shows the certificate of the plan, by name and without, else its own', async () => {
    await apply(1);
    const plain = await dialTls();
    expect(plain.getPeerCertificate().subject.CN).toBe('self');
    await apply(2, { identities: [{ ...OLD, host: 'ns1.test' }] });
    const shown = await Promise.all([dialTls(), dialTls('ns1.test'), dialTls('other.test')]);
    const names = shown.map((socket) => socket.getPeerCertificate().subjectaltname);
    expect(new Set(names)).toEqual(new Set(['DNS:ns1.test, DNS:old']));
    await apply(3, { identities: [{ ...NEW, host: 'ns1.test' }] });
    const renewed = await dialTls('ns1.test');
    expect(renewed.getPeerCertificate().subjectaltname).toBe('DNS:ns1.test, DNS:new');
    // Neither the zone's change nor the certificate's has closed what was open.
    expect(await serialOf(plain)).toBe(3);
    await apply(4);
    expect((await dialTls()).getPeerCertificate().subject.CN).toBe('self');
  });

  test('a certificate that cannot be used is not shown, and harms nothing', async () => {
    const broken = { ...OLD, host: 'ns1.test', keyPem: NEW.keyPem, fingerprint: 'broken' };
    await apply(1, { identities: [broken] });
    expect((await dialTls('ns1.test')).getPeerCertificate().subject.CN).toBe('self');
  });

  test('where its port is taken, DNS is served all the same', async () => {
    await worker.close();
    const taken = createServer().listen(0, HOST);
    await once(taken, 'listening');
    opened.push({ destroy: () => taken.close() });
    open((taken.address() as { port: number }).port);
    await apply(1);
    expect(listener?.tlsPort).toBeUndefined();
    expect(warnings).toEqual(['DNS over TLS is not served']);
    const socket = dial(listener?.port ?? 0);
    opened.push(socket);
    socket.write(framed(queryBytes('test', 'SOA')));
    expect((await read(socket, 40)).length).toBeGreaterThan(40);
  });
});

test('a zone is handed out over a socket, signed, while others are answered', async () => {
  const secondaries = [{ address: HOST, port: 53, key: KEY }];
  await apply(1, { transfer: { secondaries, addresses: [] } });
  const socket = dial(listener?.port ?? 0);
  opened.push(socket);
  const query = signed(transferQuery('test'), { timeS: Math.floor(Date.now() / 1000) });
  const soa = queryBytes('test', 'SOA');
  const signedSoa = signed(soa, { timeS: Math.floor(Date.now() / 1000) });
  socket.write(Buffer.concat([query.bytes, soa, signedSoa.bytes].map(framed)));
  const messages: Buffer[] = [];
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    while (received.length > 2 && received.length >= 2 + received.readUInt16BE(0)) {
      messages.push(received.subarray(2, 2 + received.readUInt16BE(0)));
      received = received.subarray(2 + received.readUInt16BE(0));
    }
    if (messages.length === 3) break;
  }
  checkSignatures(messages.slice(0, 1), { requestMac: query.mac });
  expect(answers(messages.slice(0, 1)).length).toBe(4);
  expect(answers(messages.slice(1)).length).toBe(2);
  // No short cut for plain queries takes it for one of them.
  checkSignatures(messages.slice(2), { requestMac: signedSoa.mac });
});
