import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js';
import { type Log, silentLog } from '../log.ts';
import type { CertificateAuthority, IssuedCertificate } from '../tls/authority.ts';
import { DOM_SERVER_NAME, domServerNames } from '../tls/server-names.ts';
import { systemClock } from './clock.ts';
import { createGrpcServer, type GrpcServer } from './grpc/server.ts';
import { operationsHandler, type PlainHandler } from './plain-http.ts';
import { systemRandom } from './random.ts';
import { createAuthority, generateCa } from './tls/authority.ts';
import { listenTls, type TlsLimits, type TlsPort } from './tls/port.ts';

export const HOUR_MS = 60 * 60 * 1000;
export const LONDON = { kind: 'node', name: 'london', uid: 'u1' } as const;

export interface TestPort extends GrpcServer {
  readonly authority: CertificateAuthority;
  readonly port: TlsPort;
  readonly address: string;
  /** A certificate for node london, from this port's CA. */
  readonly london: IssuedCertificate;
  readonly newServerCertificate: () => Promise<IssuedCertificate>;
  /** Has run out by now. */
  readonly expired: IssuedCertificate;
  /** Dials; without a certificate: as a machine that joins. */
  readonly dial: (certificate?: IssuedCertificate) => Client;
  readonly close: () => Promise<void>;
}

/** A CA of its own, and the same one as it was two hours ago. */
export async function testAuthority(): Promise<{
  readonly authority: CertificateAuthority;
  readonly pastAuthority: CertificateAuthority;
}> {
  const random = systemRandom();
  const clock = systemClock();
  const past = { ...clock, nowMs: () => clock.nowMs() - 2 * HOUR_MS };
  const ca = await generateCa({ clock: past, random, name: 'b8s test' });
  return {
    authority: await createAuthority({ ...ca, clock, random }),
    pastAuthority: await createAuthority({ ...ca, clock: past, random }),
  };
}

/** Dom's port on loopback with a CA of its own, for tests. */
export async function openTestPort(
  options: {
    readonly log?: Log;
    readonly limits?: Partial<TlsLimits>;
    /** Left out: what is for who watches dom. */
    readonly http?: PlainHandler;
  } = {},
): Promise<TestPort> {
  const { log = silentLog, limits = {} } = options;
  const { authority, pastAuthority } = await testAuthority();
  const names = domServerNames([]);
  const newServerCertificate = () =>
    authority.issueServer({ names, keyType: 'ecdsa-p256', lifetimeMs: HOUR_MS });
  const certificate = await newServerCertificate();
  const grpc = createGrpcServer({ log, protoFolder: 'proto' });
  const operations = { isServing: () => true, renderMetrics: async () => 'up 1\n' };
  const { http = operationsHandler(operations) } = options;
  const { caPem } = authority;
  const port = await listenTls({
    host: '127.0.0.1',
    port: 0,
    credentials: { certPem: certificate.chainPem, keyPem: certificate.keyPem, caPem },
    grpc: grpc.server,
    http,
    log,
    limits: { closeGraceMs: 200, ...limits },
  });
  const address = `127.0.0.1:${port.port}`;
  const clients: Client[] = [];
  return {
    ...grpc,
    authority,
    port,
    address,
    london: await authority.issueClient({ identity: LONDON, lifetimeMs: HOUR_MS }),
    expired: await pastAuthority.issueClient({ identity: LONDON, lifetimeMs: HOUR_MS }),
    newServerCertificate,
    dial(shown) {
      const client = new Client(address, channelCredentials(caPem, shown), {
        'grpc.ssl_target_name_override': DOM_SERVER_NAME,
        'grpc.use_local_subchannel_pool': 1,
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await port.close();
    },
  };
}

function channelCredentials(
  caPem: string,
  shown: IssuedCertificate | undefined,
): ChannelCredentials {
  const ca = Buffer.from(caPem);
  return shown === undefined
    ? credentials.createSsl(ca)
    : credentials.createSsl(ca, Buffer.from(shown.keyPem), Buffer.from(shown.chainPem));
}
