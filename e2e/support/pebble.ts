import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExternalAccount } from '../../runtime/acme/acme.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import { logTail, program, until } from './processes.ts';

/** Debian's package `pebble`: Let's Encrypt's test CA. */
export const PEBBLE = '/usr/bin/pebble';

/** Why tests with Pebble cannot run here; undefined: they can. In CI they must. */
export function pebbleMissing(): string | undefined {
  if (existsSync(PEBBLE)) return undefined;
  const reason = 'apt-get install pebble';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

export interface PebbleOptions {
  /** Left out: 127.0.0.1. */
  readonly address?: string;
  /** Per cent of good nonces that it refuses; left out: 0. */
  readonly nonceReject?: number;
  /** Per cent of names that need not be proven again; left out: 0. */
  readonly authzReuse?: number;
  /** Intermediates between leaf and root, 1 and more; left out: 1. */
  readonly chainLength?: number;
  /** Other roots that chains lead to as well; left out: 0. */
  readonly alternateRoots?: number;
  /** Accounts must be bound to `externalAccount`. */
  readonly externalAccount?: 'required';
  /** Left out: Pebble's own, years. */
  readonly validityPeriodS?: number;
  /** `address:port` that it resolves names with; left out: the machine's. */
  readonly dnsServer?: string;
  /** Where it looks for http-01, instead of 80. */
  readonly httpPort?: number;
  /** Where it looks for tls-alpn-01, instead of 443. */
  readonly tlsPort?: number;
  /** It believes that everything is proven. */
  readonly validation?: 'always valid';
  /** Longest pause before it looks, in whole seconds; left out: none. */
  readonly lookAfterS?: number;
  readonly ordersPerPage?: number;
}

export interface Pebble {
  /** URL of its directory. */
  readonly directory: string;
  /** What its own HTTPS certificate chains to. */
  readonly caPem: string;
  /** PEM of the roots of what it issues: the preferred one, then the alternates. */
  readonly roots: readonly string[];
  /** There when accounts must be bound. */
  readonly externalAccount: ExternalAccount | undefined;
  readonly logFile: string;
  readonly pid: number | undefined;
  /** Of a certificate, by its serial number in hex: "Valid", "Revoked". */
  status(serialNumber: string): Promise<string>;
  /** It forgets everything. */
  stop(): Promise<void>;
}

/** Pebble on loopback, with a certificate of its own; it keeps all in memory. */
export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  const { address = '127.0.0.1' } = options;
  const folder = mkdtempSync(join(tmpdir(), 'b8s-pebble-'));
  const [port = 0, managementPort = 0] = await freePortsAt([address], 2);
  const caPem = await writeConfig(folder, options, { address, port, managementPort });
  const pebble = program({
    name: 'pebble',
    command: PEBBLE,
    args: [
      ...['-config', join(folder, 'config.json'), '-strict'],
      ...(options.dnsServer === undefined ? [] : ['-dnsserver', options.dnsServer]),
    ],
    logFile: join(folder, 'pebble.log'),
    env: environment(options),
  });
  const management = (path: string): Promise<string> =>
    getText(`https://${address}:${managementPort}${path}`, caPem);
  try {
    pebble.start();
    const roots = await until('Pebble answers', () => readRoots(management, options), {
      timeoutMs: 20_000,
    });
    return {
      directory: `https://${address}:${port}/dir`,
      ...{ caPem, roots, logFile: pebble.logFile },
      externalAccount: options.externalAccount === undefined ? undefined : EXTERNAL_ACCOUNT,
      get pid() {
        return pebble.pid;
      },
      async status(serialNumber) {
        const text = await management(`/cert-status-by-serial/${serialNumber}`);
        return (JSON.parse(text) as { readonly Status: string }).Status;
      },
      async stop() {
        await pebble.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    const log = logTail(pebble.logFile);
    await pebble.stop();
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`start Pebble: ${log}`, { cause: error });
  }
}

const EXTERNAL_ACCOUNT: ExternalAccount = {
  keyId: 'b8s-test',
  macKey: Buffer.alloc(32, 'for tests').toString('base64url'),
};
const DAY_MS = 24 * 60 * 60 * 1000;

/** Resolves to the PEM of the CA that signed Pebble's own certificate. */
async function writeConfig(
  folder: string,
  options: PebbleOptions,
  at: { readonly address: string; readonly port: number; readonly managementPort: number },
): Promise<string> {
  const [clock, random] = [systemClock(), systemRandom()];
  const ca = await generateCa({ clock, random, name: 'the CA of Pebble itself' });
  const authority = await createAuthority({ ...ca, clock, random });
  const { chainPem, keyPem } = await authority.issueServer({
    names: [at.address, 'localhost'],
    keyType: 'ecdsa-p256',
    lifetimeMs: DAY_MS,
  });
  const [certificate, privateKey] = [join(folder, 'tls.pem'), join(folder, 'tls.key')];
  writeFileSync(certificate, chainPem);
  writeFileSync(privateKey, keyPem, { mode: 0o600 });
  const { keyId, macKey } = EXTERNAL_ACCOUNT;
  const pebble = {
    listenAddress: `${at.address}:${at.port}`,
    managementListenAddress: `${at.address}:${at.managementPort}`,
    ...{ certificate, privateKey },
    httpPort: options.httpPort ?? 5002,
    tlsPort: options.tlsPort ?? 5001,
    ocspResponderURL: '',
    externalAccountBindingRequired: options.externalAccount === 'required',
    externalAccountMACKeys: { [keyId]: macKey },
    certificateValidityPeriod: options.validityPeriodS,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble }));
  return ca.caPem;
}

function environment(options: PebbleOptions): Record<string, string> {
  const { lookAfterS, ordersPerPage } = options;
  return {
    PEBBLE_WFE_NONCEREJECT: String(options.nonceReject ?? 0),
    PEBBLE_AUTHZREUSE: String(options.authzReuse ?? 0),
    PEBBLE_CHAIN_LENGTH: String(options.chainLength ?? 1),
    PEBBLE_ALTERNATE_ROOTS: String(options.alternateRoots ?? 0),
    ...(options.validation === undefined ? {} : { PEBBLE_VA_ALWAYS_VALID: '1' }),
    ...(lookAfterS === undefined
      ? { PEBBLE_VA_NOSLEEP: '1' }
      : { PEBBLE_VA_SLEEPTIME: String(lookAfterS) }),
    ...(ordersPerPage === undefined ? {} : { PEBBLE_WFE_ORDERS_PER_PAGE: String(ordersPerPage) }),
  };
}

async function readRoots(
  management: (path: string) => Promise<string>,
  { alternateRoots = 0 }: PebbleOptions,
): Promise<readonly string[]> {
  const roots: string[] = [];
  for (let index = 0; index <= alternateRoots; index += 1)
    roots.push(await management(`/roots/${index}`));
  return roots;
}

function getText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false, timeout: 5_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`${url}: HTTP status ${response.statusCode}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', reject);
    call.end();
  });
}
