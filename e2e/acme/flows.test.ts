import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChallengeServer } from '../support/challenge-server.ts';
import { type Pebble, pebbleMissing, startPebble } from '../support/pebble.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/processes.ts';
import { publish, siteYaml, useScene, zoneYaml } from '../support/scene.ts';
import {
  apply,
  issuerYaml,
  manifest,
  read,
  ready,
  type Status,
  shownBy,
  shownByAll,
} from './acme.fixture.ts';
import { commonNameOf, createOwnCa, type OwnCa } from './own-ca.ts';

const SITE_FOLDER = join(import.meta.dirname, '../../manifests/demo/site');
const missing = pebbleMissing();
const BLOG = 'blog.acme.test';
const SHOP = 'shop.acme.test';
/** Nobody has told us of this domain, so that no CA can find any proof for it. */
const STRANGER = 'www.elsewhere.test';

describe.skipIf(missing !== undefined)(
  `what people do with certificates${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const scene = useScene('sqlite', { name: 'acme-flows', nodes: 2 });
    let pebble: Pebble | undefined;
    let own: OwnCa | undefined;

    beforeAll(async () => {
      own = await createOwnCa();
      const [asked] = scene().nodes;
      const dnsServer = `${asked?.address}:${asked?.dnsPort}`;
      const ports = { httpPort: asked?.httpPort ?? 0, tlsPort: asked?.httpsPort ?? 0 };
      pebble = await startPebble({ dnsServer, ...ports, alternateRoots: 1 });
      await apply(
        scene(),
        zoneYaml('acme-test', 'acme.test', `[${JSON.stringify(ALIAS)}]`),
        zoneYaml('proofs-test', 'proofs.test'),
        issuerYaml('ca', pebble),
        siteYaml('blog', BLOG, '  tls: { issuer: ca }\n'),
        siteYaml('shop', SHOP, '  tls: { secret: shop-tls }\n'),
      );
      await publish(scene(), 'blog', SITE_FOLDER);
      await ready(scene(), ['blog']);
    }, 240_000);
    afterAll(async () => {
      own?.forget();
      await pebble?.stop();
    });

    const b8sctl = (...args: readonly string[]): Promise<string> => scene().cluster.b8sctlOk(args);
    const ca = (): Pebble => pebble ?? failed('Pebble did not start');
    const ownCa = (): OwnCa => own ?? failed('there is no CA of our own');
    const blogShown = (): Promise<string> =>
      shownByAll(scene(), 'blog', { name: BLOG, ca: ca().roots });

    test('a chain of one’s own is served, replaced under handshakes, and a wrong key refused', async () => {
      const shown = { name: SHOP, ca: [ownCa().caPem] };
      const createTls = async (cert: string, key: string): Promise<unknown> =>
        await b8sctl('create', 'secret', 'tls', 'shop-tls', '--cert', cert, '--key', key);
      const [first, second] = [await ownCa().issue([SHOP]), await ownCa().issue([SHOP])];
      await createTls(first.chainFile, first.keyFile);
      await publish(scene(), 'shop', SITE_FOLDER);
      await ready(scene(), ['shop']);
      expect(await shownByAll(scene(), 'shop', shown)).toBe(first.fingerprint);
      const visitors = visit(scene().nodes.map((node) => () => shownBy(node, shown)));
      await createTls(second.chainFile, second.keyFile);
      await becomes('shop', ({ fingerprint }) => fingerprint === second.fingerprint);
      expect(await shownByAll(scene(), 'shop', shown)).toBe(second.fingerprint);
      await createTls(first.chainFile, second.keyFile);
      const { conditions = [] } = await becomes('shop', ({ conditions: now = [] }) =>
        now.some(({ reason }) => reason === 'SecretUnfit'),
      );
      expect(conditions.find(({ type }) => type === 'Ready')?.message).toMatch(
        /the private key does not belong to the certificate; the certificate from before goes on/,
      );
      expect(await shownByAll(scene(), 'shop', shown)).toBe(second.fingerprint);
      const { failures, handshakes } = await visitors.end();
      expect(failures).toEqual([]);
      expect(handshakes).toBeGreaterThan(10);
    }, 240_000);

    test('cert renew gives another one, and issuer rollover does not stop that', async () => {
      const first = await blogShown();
      await renewed('blog', first);
      const second = await blogShown();
      const before = await account();
      await b8sctl('issuer', 'rollover', 'ca');
      await until(
        'the account has another key',
        async () => {
          const { keyTime, url } = await account();
          return keyTime !== before.keyTime && url === before.url;
        },
        { timeoutMs: 20_000 },
      );
      await renewed('blog', second);
      expect(new Set([first, second, await blogShown()]).size).toBe(3);
    }, 240_000);

    test('what was compromised is revoked at the CA, and another one is served', async () => {
      const { fingerprint, serialNumber = '' } = await statusOf('blog');
      expect(await ca().status(serialNumber)).toBe('Valid');
      await b8sctl('cert', 'revoke', 'blog', '--reason', 'keyCompromise', '--yes');
      await until(
        'the CA has revoked it',
        async () => (await ca().status(serialNumber)) === 'Revoked',
        { timeoutMs: 20_000 },
      );
      const after = await becomes('blog', (status) => status.fingerprint !== fingerprint);
      await blogShown();
      expect(await ca().status(after.serialNumber ?? '')).toBe('Valid');
    }, 240_000);

    test('the chain that is preferred, aliases of proofs, and a CA in place of one that is away', async () => {
      const [firstRoot = '', otherRoot = ''] = ca().roots;
      const { fingerprint: before } = await statusOf('blog');
      await shownByAll(scene(), 'blog', { name: BLOG, ca: [firstRoot] });
      const [port] = await freePorts(1);
      const away = { ...ca(), directory: `https://127.0.0.1:${port}/dir` };
      await apply(
        scene(),
        issuerYaml('other-root', ca(), { preferredChain: commonNameOf(otherRoot) }),
        issuerYaml('away', away, { fallbacks: ['ca'] }),
        siteYaml('blog', BLOG, '  tls: { issuer: other-root }\n'),
        manifest('Certificate', 'alias', { names: ['*.alias.acme.test'], issuer: 'ca' }),
        manifest('Certificate', 'fallback', { names: ['fallback.acme.test'], issuer: 'away' }),
      );
      await ready(scene(), ['alias', 'fallback'], 60);
      await until(
        'the Site has told its Certificate',
        async () => (await read(scene(), 'certificate', 'blog')).spec['issuer'] === 'other-root',
        {
          timeoutMs: 20_000,
        },
      );
      // Both Issuers are of one CA, so that nothing calls for another certificate by itself.
      await renewed('blog', before);
      await shownByAll(scene(), 'blog', { name: BLOG, ca: [otherRoot] });
      const { tries = [] } = await statusOf('fallback');
      expect(tries).toMatchObject([{ issuer: 'ca', outcome: 'issued' }]);
    }, 240_000);

    test('names whose DNS others keep are proven by the edges, over HTTP and over TLS', async () => {
      const [{ address, httpPort, httpsPort: tlsPort } = failed('no node')] = scene().nodes;
      // Nameservers by which every name leads to one of our edges.
      const others = await startChallengeServer(address);
      const elsewhere = await startPebble({ dnsServer: others.dnsServer, httpPort, tlsPort });
      try {
        await apply(
          scene(),
          issuerYaml('by-http', elsewhere),
          issuerYaml('by-tls', elsewhere, { challenge: 'tls-alpn-01' }),
          manifest('Certificate', 'by-http', { names: ['www.others.test'], issuer: 'by-http' }),
          manifest('Certificate', 'by-tls', { names: ['app.others.test'], issuer: 'by-tls' }),
        );
        await ready(scene(), ['by-http', 'by-tls'], 60);
      } finally {
        await elsewhere.stop();
        await others.stop();
      }
    }, 240_000);

    test('one that cannot be proven says what the CA says, beside others (INV-5)', async () => {
      await apply(
        scene(),
        manifest('Certificate', 'stranger', { names: [STRANGER], issuer: 'ca' }),
        manifest('Certificate', 'neighbour', { names: ['n.acme.test'], issuer: 'ca' }),
      );
      await ready(scene(), ['neighbour'], 30);
      const { conditions = [], lastError = '' } = await becomes(
        'stranger',
        (status) => status.lastError !== undefined,
      );
      expect(lastError).toMatch(/^www\.elsewhere\.test \(http-01\): the CA says \w+: ./);
      for (const type of ['Ready', 'Renewable'])
        expect(conditions.find((each) => each.type === type)).toMatchObject({
          status: 'False',
          reason: 'OrderFailed',
          message: expect.stringMatching(/; next try at 20\d\d-/),
        });
    }, 240_000);

    test('a key of another kind, and hours for renewals, stay with the certificate of a Site', async () => {
      const { fingerprint } = await statusOf('blog');
      const renewal = { before: '40d', window: { days: ['Tue'], from: '02:00', to: '05:00' } };
      const patch = JSON.stringify({ spec: { keyType: 'rsa-2048', renewal } });
      await b8sctl('patch', 'certificate/blog', '-p', patch);
      await becomes('blog', (status) => status.fingerprint !== fingerprint);
      await blogShown();
      const [node = failed('the scene has no nodes')] = scene().nodes;
      expect(await shownBy(node, { name: BLOG, ca: ca().roots })).toMatchObject({ bits: 2048 });
      const { spec } = await read(scene(), 'certificate', 'blog');
      expect(spec).toMatchObject({ keyType: 'rsa-2048', renewal });
    }, 240_000);

    test('get certificates and cert describe show it all', async () => {
      const table = await b8sctl('get', 'certificates');
      const [header = '', ...rows] = table.trim().split('\n');
      expect(header.split(/\s{2,}/).slice(0, 7)).toEqual([
        ...['NAME', 'READY', 'NAMES', 'ISSUER', 'EXPIRES-IN', 'RENEWS-IN', 'LAST-ERROR'],
      ]);
      const row = (name: string): string => rows.find((each) => each.startsWith(`${name} `)) ?? '';
      expect(row('blog')).toMatch(/^blog +True +blog\.acme\.test +other-root +\d+[a-z]/);
      expect(row('stranger')).toMatch(/^stranger +False +.*the CA says/);
      const described = await b8sctl('cert', 'describe', 'blog', 'stranger');
      const { tries = [] } = await statusOf('blog');
      expect(tries.length).toBeGreaterThanOrEqual(4);
      for (const { detail, order = '' } of tries) {
        expect(described).toContain(detail);
        expect(described).toContain(order);
      }
      expect(described).toMatch(/the CA says/);
    });

    test('no log, and no file of the store, holds a key', async () => {
      const { logDir, cluster } = scene();
      const store = join(cluster.stateDir, 'dom');
      const databases = readdirSync(store).filter((name) => /\.db|sqlite/.test(name));
      expect(databases).not.toEqual([]);
      const files = [
        ...readdirSync(logDir).map((name) => join(logDir, name)),
        ...databases.map((name) => join(store, name)),
      ];
      const secrets = ['PRIVATE KEY', ...ownCa().keyLines()];
      const leaks = files.flatMap((file) => {
        const text = readFileSync(file, 'latin1');
        return secrets.flatMap((secret) => (text.includes(secret) ? [`${file}: ${secret}`] : []));
      });
      expect(leaks).toEqual([]);
    });

    async function account(): Promise<{ readonly url?: string; readonly keyTime?: string }> {
      const { status } = await read(scene(), 'issuer', 'ca');
      return status?.account ?? {};
    }

    async function statusOf(name: string): Promise<Status> {
      return (await read(scene(), 'certificate', name)).status ?? {};
    }

    function becomes(name: string, isSo: (status: Status) => boolean): Promise<Status> {
      const look = async (): Promise<Status | undefined> => {
        const status = await statusOf(name);
        return isSo(status) ? status : undefined;
      };
      return until(`certificate/${name} becomes so`, look, { timeoutMs: 30_000 });
    }

    async function renewed(name: string, before: string | undefined): Promise<void> {
      await b8sctl('cert', 'renew', name);
      await becomes(name, ({ fingerprint }) => fingerprint !== before);
    }
  },
);

/** In the zone of the names, and leads to another zone of ours. */
const ALIAS = {
  name: '_acme-challenge.alias',
  type: 'CNAME',
  values: ['alias.proofs.test.'],
};

/** One handshake after the other at each, until the end. */
function visit(each: readonly (() => Promise<unknown>)[]): {
  end(): Promise<{ readonly failures: readonly string[]; readonly handshakes: number }>;
} {
  const failures: string[] = [];
  let handshakes = 0;
  let isOver = false;
  const visits = each.map(async (handshake) => {
    while (!isOver) {
      await handshake().catch((error: unknown) => failures.push(String(error)));
      handshakes += 1;
    }
  });
  return {
    async end() {
      isOver = true;
      await Promise.all(visits);
      return { failures, handshakes };
    },
  };
}

function failed(why: string): never {
  throw new Error(why);
}
