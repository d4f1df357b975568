import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { logTail, program, until } from './processes.ts';

/** Of Debian's package `pebble`. */
const CHALLENGE_SERVER = '/usr/bin/pebble-challtestsrv';

/** Pebble's own stand-in for nameservers and web servers: shows whatever it is told to. */
export interface ChallengeServer {
  /** For Pebble. */
  readonly dnsServer: string;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** One more value. */
  setTxt(name: string, value: string): Promise<void>;
  /** All values. */
  clearTxt(name: string): Promise<void>;
  setHttp(token: string, keyAuthorization: string): Promise<void>;
  setTlsAlpn(name: string, keyAuthorization: string): Promise<void>;
  clearTlsAlpn(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Every name leads to `address`, on which it listens. */
export async function startChallengeServer(address = '127.0.0.1'): Promise<ChallengeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-challenges-'));
  const [dnsPort = 0, httpPort = 0, tlsPort = 0, port = 0] = await freePortsAt([address], 4);
  const server = program({
    name: 'pebble-challtestsrv',
    command: CHALLENGE_SERVER,
    args: [
      ...['-defaultIPv4', address, '-defaultIPv6', ''],
      ...['-dns01', `${address}:${dnsPort}`, '-http01', `${address}:${httpPort}`],
      ...['-https01', '', '-tlsalpn01', `${address}:${tlsPort}`],
      ...['-management', `${address}:${port}`],
    ],
    logFile: join(folder, 'challenges.log'),
  });

  async function tell(path: string, body: object): Promise<void> {
    const answer = await fetch(new URL(path, `http://${address}:${port}`), {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: HTTP status ${answer.status}`);
  }

  async function stop(): Promise<void> {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  server.start();
  try {
    await until(
      'the challenge server answers',
      () => tell('/clear-txt', { host: 'x.' }).then(() => true),
      {
        timeoutMs: 20_000,
      },
    );
  } catch (error) {
    const log = logTail(server.logFile);
    await stop();
    throw new Error(`start the challenge server: ${log}`, { cause: error });
  }
  return {
    dnsServer: `${address}:${dnsPort}`,
    httpPort,
    tlsPort,
    setTxt: (name, value) => tell('/set-txt', { host: `${name}.`, value }),
    clearTxt: (name) => tell('/clear-txt', { host: `${name}.` }),
    setHttp: (token, content) => tell('/add-http01', { token, content }),
    setTlsAlpn: (host, content) => tell('/add-tlsalpn01', { host, content }),
    clearTlsAlpn: (host) => tell('/del-tlsalpn01', { host }),
    stop,
  };
}
