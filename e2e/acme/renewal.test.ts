import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser } from '../support/https.ts';
import { type Pebble, pebbleMissing, startPebble } from '../support/pebble.ts';
import { until } from '../support/processes.ts';
import { edgeOf, publish, siteYaml, useScene, zoneYaml } from '../support/scene.ts';
import { apply, issuerYaml, read, ready, shownBy, shownByAll } from './acme.fixture.ts';

const SITE_FOLDER = join(import.meta.dirname, '../../manifests/demo/site');
const missing = pebbleMissing();
const HOST = 'blog.acme.test';
/**
 * Seconds that a certificate lives, and renewals to be seen. The long drill:
 * `B8S_RENEWAL_DRILL=120x30 vitest run --project e2e e2e/acme/renewal.test.ts` (40 minutes).
 */
const [LIFE_S = 30, RENEWALS = 4] = (process.env['B8S_RENEWAL_DRILL'] ?? '30x4')
  .split('x')
  .map(Number);
/** Requests to each node, one after the other, each on a connection of its own. */
const PAUSE_MS = 50;

describe.skipIf(missing !== undefined)(
  `certificates of ${LIFE_S} s renew under requests${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const scene = useScene('sqlite', { name: 'acme-renewal' });
    let pebble: Pebble | undefined;

    beforeAll(async () => {
      const [asked] = scene().nodes;
      if (asked === undefined) throw new Error('the scene has no nodes');
      const dnsServer = `${asked.address}:${asked.dnsPort}`;
      pebble = await startPebble({ dnsServer, validityPeriodS: LIFE_S });
      await apply(
        scene(),
        zoneYaml('acme-test', 'acme.test'),
        issuerYaml('short', pebble),
        siteYaml('blog', HOST, '  tls: { issuer: short }\n'),
      );
      await publish(scene(), 'blog', SITE_FOLDER);
      await ready(scene(), ['blog']);
      await shownByAll(scene(), 'blog', { name: HOST, ca: pebble.roots });
    });
    afterAll(async () => {
      await pebble?.stop();
    });

    test(
      `${RENEWALS} renewals: no handshake fails, nothing expired is served`,
      async () => {
        const ca = pebble?.roots ?? [];
        const seen = new Set<string>();
        const failures: string[] = [];
        const stop = new AbortController();
        let requests = 0;
        const visitor = browser(HOST, ca.join('\n'), { keepAlive: false });
        const visits = scene().nodes.map(async (node) => {
          while (!stop.signal.aborted) {
            try {
              // The chain and its time are verified by each of the two handshakes.
              const { status } = await visitor.get(edgeOf(node), '/');
              const { valid_to: end, fingerprint256 } = await shownBy(node, { name: HOST, ca });
              if (status !== 200) failures.push(`${node.name} answers ${status}`);
              if (Date.parse(end) <= Date.now()) failures.push(`${node.name} shows one of ${end}`);
              seen.add(fingerprint256);
            } catch (error) {
              failures.push(`${node.name}: ${String(error)}`);
            }
            requests += 2;
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          }
        });
        try {
          await until('the renewals are done', async () => seen.size > RENEWALS || undefined, {
            timeoutMs: RENEWALS * LIFE_S * 1000 * 1.5,
          });
        } finally {
          stop.abort();
          await Promise.all(visits);
          visitor.close();
        }
        console.info(
          `${requests} handshakes while ${seen.size - 1} renewals: ${failures.length} failed`,
        );
        expect(failures).toEqual([]);
        const { tries = [] } = (await read(scene(), 'certificate', 'blog')).status ?? {};
        expect(tries.filter(({ outcome }) => outcome !== 'issued')).toEqual([]);
      },
      RENEWALS * LIFE_S * 2_000,
    );
  },
);
