import { join } from 'node:path';
import type { DetailedPeerCertificate } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Pebble, type PebbleOptions, pebbleMissing, startPebble } from '../support/pebble.ts';
import { until } from '../support/processes.ts';
import { askNode, publish, siteYaml, useScene, zoneYaml } from '../support/scene.ts';
import {
  apply,
  bindingYaml,
  CHALLENGES,
  issuerYaml,
  manifest,
  ready,
  shownBy,
  shownByAll,
} from './acme.fixture.ts';

const SITE_FOLDER = join(import.meta.dirname, '../../manifests/demo/site');
const missing = pebbleMissing();

/** How unfriendly the CA is. Every value of every column occurs, the worst ones together. */
const WEATHERS: readonly PebbleOptions[] = [
  { nonceReject: 0, authzReuse: 0, chainLength: 1 },
  { nonceReject: 5, authzReuse: 50, chainLength: 2 },
  { nonceReject: 50, authzReuse: 0, chainLength: 3, externalAccount: 'required' },
  { nonceReject: 0, authzReuse: 100, chainLength: 2, externalAccount: 'required' },
  { nonceReject: 50, authzReuse: 100, chainLength: 1, externalAccount: 'required' },
];

describe.skipIf(missing !== undefined)(
  `certificates from a real CA, which asks our own nameservers and edges${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const scene = useScene('sqlite', { name: 'acme-issue' });
    let pebble: Pebble | undefined;

    beforeAll(async () => {
      await apply(scene(), zoneYaml('acme-test', 'acme.test'));
    });
    afterEach(async () => {
      await pebble?.stop();
      pebble = undefined;
    });

    async function startCa(options: PebbleOptions): Promise<Pebble> {
      const [asked] = scene().nodes;
      if (asked === undefined) throw new Error('the scene has no nodes');
      const dnsServer = `${asked.address}:${asked.dnsPort}`;
      const ports = { httpPort: asked.httpPort, tlsPort: asked.httpsPort };
      pebble = await startPebble({ ...options, ...ports, dnsServer });
      return pebble;
    }

    test.each(WEATHERS.map((options, index) => ({ index, options, what: inWords(options) })))(
      'all three challenges and a wildcard: $what',
      async ({ index, options }) => {
        const ca = await startCa(options);
        const issuers = CHALLENGES.map((challenge) => ({
          challenge,
          name: `ca${index}-${challenge}`,
        }));
        const sites = issuers.map(({ name }) => ({ name, host: `${name}.acme.test` }));
        await apply(
          scene(),
          ...(ca.externalAccount === undefined ? [] : [bindingYaml(ca)]),
          ...issuers.map(({ name, challenge }) => issuerYaml(name, ca, { challenge })),
          ...sites.map(({ name, host }) => siteYaml(name, host, `  tls: { issuer: ${name} }\n`)),
          manifest('Certificate', `wild${index}`, {
            names: [`*.w${index}.acme.test`, `w${index}.acme.test`],
            issuer: `ca${index}-dns-01`,
          }),
        );
        for (const { name } of sites) await publish(scene(), name, SITE_FOLDER);
        await ready(scene(), [...sites.map(({ name }) => name), `wild${index}`]);
        for (const { name, host } of sites) {
          await shownByAll(scene(), name, { name: host, ca: ca.roots });
          const [node] = scene().nodes;
          if (node === undefined) continue;
          const shown = await shownBy(node, { name: host, ca: ca.roots });
          expect(lengthOf(shown)).toBe((options.chainLength ?? 1) + 2);
        }
      },
      180_000,
    );

    test('what was put up for the CA is gone again (INV-32)', async () => {
      for (const node of scene().nodes)
        await until(
          `no proof is left at ${node.name}`,
          async () => {
            const question = { name: '_acme-challenge.ca0-dns-01.acme.test', type: 'TXT' } as const;
            const { values } = await askNode(node, question);
            return values.length === 0 || undefined;
          },
          { timeoutMs: 30_000 },
        );
    });
  },
);

function inWords(options: PebbleOptions): string {
  const { nonceReject, authzReuse, chainLength, externalAccount = 'not required' } = options;
  return `${nonceReject} % of nonces refused, ${authzReuse} % of proofs reused, chains of ${chainLength}, external account ${externalAccount}`;
}

/** Leaf, intermediates and root. */
function lengthOf(leaf: DetailedPeerCertificate): number {
  const seen = new Set<string>();
  let each = leaf;
  while (!seen.has(each.fingerprint256)) {
    seen.add(each.fingerprint256);
    each = each.issuerCertificate;
  }
  return seen.size;
}
