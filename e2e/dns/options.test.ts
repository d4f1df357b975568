import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testZone } from '../../agent/plane/plane-fixture.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { AREA } from '../support/scene.ts';
import { type OurServer, startOurs } from './support/ours.ts';
import { programsMissing } from './support/programs.ts';

const DIG = '/usr/bin/dig';
const missing = programsMissing([DIG]);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`what BIND's dig makes of our options${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-options-'));
  const servers: OurServer[] = [];
  const secrets = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));

  beforeAll(async () => {
    const addresses = [4, 5].map((host) => `127.${AREA}.1.${host}`);
    const [port = 0] = await freePortsAt(addresses, 1);
    const [a, b, c] = secrets;
    // The second one is a day ahead of the first.
    const orders = [
      [a, b],
      [b, c, a],
    ];
    for (const [index, address] of addresses.entries()) {
      const server = startOurs({ folder: join(folder, `${index}`), address, port });
      servers.push(server);
      const cookieSecrets = (orders[index] ?? []).filter((secret) => secret !== undefined);
      await server.serve({ zones: [testZone(1)], cookieSecrets });
    }
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function dig(which: number, ...args: readonly string[]): Promise<string> {
    const { address = '', port = 0 } = servers[which] ?? {};
    const common = [`@${address}`, '-p', String(port), '+tries=1', '+time=5'];
    const { stdout } = await promisify(execFile)(DIG, [...common, ...args]);
    return stdout;
  }
  const cookieOf = (output: string): string => / COOKIE: (\w+) \(good\)/.exec(output)?.[1] ?? '';

  test('a cookie is taken as it was given, by the other nameserver too', async () => {
    const first = cookieOf(await dig(0, 'ns1.test', 'A', '+cookie=0102030405060708'));
    expect(first).toMatch(/^010203040506070801000000[0-9a-f]{24}$/);
    // Kept as it is by the one that made it; the other one is a secret on, so it gives a new one.
    expect(cookieOf(await dig(0, 'ns1.test', 'A', `+cookie=${first}`))).toBe(first);
    const second = cookieOf(await dig(1, 'ns1.test', 'A', `+cookie=${first}`));
    expect(cookieOf(await dig(1, 'ns1.test', 'A', `+cookie=${second}`))).toBe(second);
  });

  test('the name of the node, if it is asked for', async () => {
    expect(await dig(0, 'ns1.test', 'A', '+nsid')).toMatch(/NSID: [0-9a-f ]+\("ours"\)/);
    expect(await dig(0, 'ns1.test', 'A')).not.toContain('NSID');
  });

  test.each([
    { args: ['www.elsewhere.example', 'A'], says: 'EDE: 20 (Not Authoritative)' },
    { args: ['test', 'AXFR', '+edns'], says: 'Transfer failed' },
    { args: ['version.bind', 'TXT', 'CH'], says: 'status: REFUSED' },
    { args: ['ns1.test', 'A', '+opcode=notify'], says: 'status: NOTIMP' },
    { args: ['ns1.test', 'A', '+edns=1', '+noednsneg'], says: 'status: BADVERS' },
    { args: ['ns1.test', 'A', '+tcp', '+keepalive'], says: 'TCP KEEPALIVE: 10.0 secs' },
    { args: ['ns1.test', 'A', '+subnet=192.0.2.0/24'], says: 'CLIENT-SUBNET: 192.0.2.0/24/0' },
    { args: ['blog.test', 'ANY'], says: 'HINFO' },
  ])('$args: $says', async ({ args, says }) => {
    expect(await dig(0, ...args)).toContain(says);
  });
});
