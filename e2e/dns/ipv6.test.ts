import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testZone } from '../../agent/plane/plane-fixture.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { AREA } from '../support/scene.ts';
import { type OurServer, startOurs } from './support/ours.ts';
import { programsMissing } from './support/programs.ts';

const DIG = '/usr/bin/dig';
const missing = programsMissing([DIG]) ?? ipv6Missing();
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`over IPv6 as over IPv4${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-ipv6-'));
  const servers = new Map<'ipv4' | 'ipv6', OurServer>();

  beforeAll(async () => {
    const ipv4 = `127.${AREA}.1.6`;
    const [port = 0] = await freePortsAt([ipv4, '::1'], 1);
    for (const [family, address] of [
      ['ipv4', ipv4],
      ['ipv6', '::1'],
    ] as const) {
      const server = startOurs({ folder: join(folder, family), address, port });
      servers.set(family, server);
      const cookieSecrets = [new Uint8Array(16).fill(1)];
      await server.serve({ zones: [testZone(1)], cookieSecrets });
    }
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function dig(family: 'ipv4' | 'ipv6', ...args: readonly string[]): Promise<string> {
    const { address = '', port = 0 } = servers.get(family) ?? {};
    const common = [`@${address}`, '-p', String(port), '+tries=1', '+time=5', '+norecurse'];
    const { stdout } = await promisify(execFile)(DIG, [...common, ...args]);
    // The id, the address and the time differ, whatever is asked.
    return stdout.replace(/^; <<>>.*$|^;; (?:Query time|SERVER|WHEN|XFR size).*$|, id: \d+/gm, '');
  }

  const questions = [
    ['test', 'SOA'],
    ['test', 'NS'],
    ['ns1.test', 'A'],
    ['no.such.test', 'A'],
    ['blog.test', 'TXT'],
    ['www.elsewhere.example', 'A'],
    ['test', 'AXFR', '+edns'],
    ['blog.test', 'A', '+subnet=2001:db8::/32'],
    ['blog.test', 'A', '+subnet=192.0.2.0/24'],
  ];
  test.each(
    [[], ['+tcp'], ['+dnssec', '+nsid'], ['+noedns'], ['+bufsize=512']].flatMap((how) =>
      questions.map((question) => ({ args: [...question, '+nocookie', ...how] })),
    ),
  )('$args', async ({ args }) => {
    const [ipv4, ipv6] = await Promise.all([dig('ipv4', ...args), dig('ipv6', ...args)]);
    expect(ipv6).toMatch(/status: |Transfer failed/);
    expect(ipv6).toBe(ipv4);
  });

  test('a cookie is made with an IPv6 address, too, and taken from there', async () => {
    const cookie = '+cookie=0102030405060708';
    const [first = ''] = /01020304050607080100\w+/.exec(await whole('ns1.test', 'A', cookie)) ?? [];
    expect(first).toHaveLength(48);
    expect(await whole('ns1.test', 'A', `+cookie=${first}`)).toContain(`${first} (good)`);
  });

  async function whole(...args: readonly string[]): Promise<string> {
    const { address = '', port = 0 } = servers.get('ipv6') ?? {};
    const { stdout } = await promisify(execFile)(DIG, [`@${address}`, '-p', `${port}`, ...args]);
    return stdout;
  }
});

/** Why there is no loopback over IPv6 here; undefined: there is. In CI there must be. */
function ipv6Missing(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (addresses.some(({ address }) => address === '::1')) return undefined;
  const reason = 'this machine has no ::1; sysctl net.ipv6.conf.lo.disable_ipv6=0';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}
