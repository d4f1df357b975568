import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { run, until } from '../support/processes.ts';
import { AREA, publish, siteYaml, useScene } from '../support/scene.ts';
import type { Server } from './support/exchange.ts';
import { programsMissing, type RunningServer, stopServers } from './support/programs.ts';
import { logOf, resolveName } from './support/resolvers.ts';
import { SECONDARIES } from './support/secondaries.ts';

const ZONE = 'shared.test';
const KEY = 'shared-key';
const REFUSED = 5;

const missing = programsMissing([...SECONDARIES.map(({ command }) => command), '/usr/bin/dig']);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`real secondaries${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-secondaries-'));
  // BIND listens at addresses that an interface has; of 127.0.0.0/8 that is the first one.
  const addresses = SECONDARIES.map(({ name }, index) =>
    name === 'BIND' ? '127.0.0.1' : `127.${AREA}.3.${index + 1}`,
  );
  const scene = useScene('sqlite', { name: 'dns-secondaries', nodes: 1 });
  let port = 0;
  let secret = '';
  let servers: readonly RunningServer[] = [];

  beforeAll(async () => {
    const { cluster } = scene();
    [port = 0] = await freePortsAt(addresses, 1);
    const made = await cluster.b8sctlOk(['transfer-key', 'create', KEY]);
    secret = /secret "(.+)"/.exec(made)?.[1] ?? '';
    const input = [siteYaml('blog', `blog.${ZONE}`), zoneText('first', 'one')].join('---\n');
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', join(import.meta.dirname, '../../manifests/demo/site'));
    await until(
      'the site has addresses',
      async () => {
        return (await ask(primary(), 'blog', 'A')).answer.length > 0;
      },
      { timeoutMs: 30_000 },
    );
    const key = { name: KEY, secret };
    servers = await Promise.all(
      SECONDARIES.map(({ start }, index) => {
        const address = addresses[index] ?? '';
        return start({ folder, zone: ZONE, primary: primary(), key, address, port });
      }),
    );
  });
  afterAll(async () => {
    await stopServers();
    rmSync(folder, { recursive: true, force: true });
  });

  const primary = (): Server => {
    const node = scene().node('sydney');
    return { address: node.address, port: node.dnsPort };
  };
  const serverAt = (index: number): RunningServer => {
    const server = servers[index];
    if (server === undefined) throw new Error('a secondary did not start');
    return server;
  };
  const ask = (server: Server, name: string, type: string) => {
    return resolveName(server, { name: name === '' ? ZONE : `${name}.${ZONE}`, type });
  };

  test.each(SECONDARIES.entries().toArray())(
    '%i: has the whole zone by AXFR, with what geography would choose from',
    async (index) => {
      const server = serverAt(index);
      for (const [name, type] of [
        ['', 'SOA'],
        ['', 'NS'],
        ['first', 'TXT'],
        ['blog', 'A'],
      ] as const) {
        const [theirs, ours] = [await ask(server, name, type), await ask(primary(), name, type)];
        expect(theirs.answer.length).toBeGreaterThan(0);
        expect(theirs.answer).toEqual(ours.answer);
        expect(theirs.flags).toContain('AA');
      }
    },
  );

  test('a change is told to each, and each takes only what changed', async () => {
    const before = (await ask(primary(), '', 'SOA')).answer;
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: zoneText('second', 'two') });
    for (const [index, { name, transferred }] of SECONDARIES.entries()) {
      const server = serverAt(index);
      // The zone's own refresh interval is an hour: without NOTIFY nothing would come.
      await until(
        `${name} has the new version`,
        async () => {
          const [first, second] = [
            await ask(server, 'first', 'TXT'),
            await ask(server, 'second', 'TXT'),
          ];
          return first.answer.length === 0 && second.answer.length > 0;
        },
        { timeoutMs: 20_000 },
      );
      const soa = (await ask(server, '', 'SOA')).answer;
      expect(soa).toEqual((await ask(primary(), '', 'SOA')).answer);
      expect(soa).not.toEqual(before);
      const sizes = await until(
        `${name} has written down two transfers`,
        async () => {
          const all = logOf(server).matchAll(transferred).toArray();
          return all.length >= 2 && all.map(([, bytes]) => Number(bytes));
        },
        { timeoutMs: 5_000 },
      );
      // The whole zone, and then what changed in it (RFC 1995).
      expect(sizes[0]).toBeGreaterThan(5_000);
      expect(sizes.at(-1)).toBeLessThan(1_000);
    }
  });

  test('nobody else gets it: not without the key, not with another one, not from elsewhere', async () => {
    const [allowed = ''] = addresses;
    const elsewhere = `127.${AREA}.3.99`;
    const axfr = async (from: string, key: readonly string[]): Promise<string> => {
      const { address, port: at } = primary();
      const place = [`@${address}`, '-p', String(at), '-b', from, ...key];
      return (await run('/usr/bin/dig', [...place, ZONE, 'AXFR'])).stdout;
    };
    const right = ['-y', `hmac-sha256:${KEY}:${secret}`];
    const wrong = ['-y', `hmac-sha256:${KEY}:${Buffer.alloc(32).toString('base64')}`];
    expect(await axfr(allowed, right)).toContain(`second.${ZONE}.`);
    for (const [from, key] of [
      [allowed, []],
      [allowed, wrong],
      [elsewhere, right],
    ] as const) {
      const said = await axfr(from, key);
      expect(said).not.toContain('TXT');
      expect(said).toMatch(/Transfer failed|BADSIG/);
    }
    const { rcode } = await resolveName(
      primary(),
      { name: ZONE, type: 'AXFR' },
      { transport: 'tcp' },
    );
    expect(rcode).toBe(REFUSED);
  });

  function zoneText(record: string, value: string): string {
    const secondaries = addresses.map(
      (address) => `    - { address: ${address}, port: ${port}, key: ${KEY} }`,
    );
    const same = Array.from(
      { length: 200 },
      (_, n) => `    - { name: same-${n}, type: TXT, values: ['"the same"'] }`,
    );
    return `apiVersion: b8s.dev/v1
kind: Zone
metadata: { name: shared-test }
spec:
  origin: ${ZONE}
  secondaries:
${secondaries.join('\n')}
  records:
    - { name: ${record}, type: TXT, values: ['"${value}"'] }
${same.join('\n')}
    - { name: "*.wild", type: A, values: [192.0.2.1, 192.0.2.2] }
`;
  }
});
