import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pebble, pebbleMissing, startPebble } from '../support/pebble.ts';
import { until } from '../support/processes.ts';
import { useScene, zoneYaml } from '../support/scene.ts';
import { apply, issuerYaml, manifest, read, ready } from './acme.fixture.ts';
import { type CaProxy, startCaProxy } from './ca-proxy.ts';

const missing = pebbleMissing();
/** Calls are told apart by what Pebble names its paths. */
const NEW_ORDER = 'POST /order-plz';

describe.skipIf(missing !== undefined)(
  `kill -9 of dom around every call of an order${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const scene = useScene('sqlite', { name: 'acme-crash', nodes: 1 });
    let pebble: Pebble | undefined;
    let proxy: CaProxy | undefined;
    /** What an order without any crash asks for. */
    let undisturbed: readonly string[] = [];

    const theProxy = (): CaProxy => {
      if (proxy === undefined) throw new Error('the proxy did not start');
      return proxy;
    };

    beforeAll(async () => {
      const [asked] = scene().nodes;
      if (asked === undefined) throw new Error('the scene has no nodes');
      pebble = await startPebble({ dnsServer: `${asked.address}:${asked.dnsPort}` });
      proxy = await startCaProxy(pebble);
      await apply(scene(), zoneYaml('acme-test', 'acme.test'), issuerYaml('ca', proxy.ca));
      await scene().cluster.b8sctlOk([
        'wait',
        'issuer/ca',
        '--for=condition=Ready',
        '--timeout=60s',
      ]);
      proxy.count();
      await apply(scene(), certificate('calm'));
      await ready(scene(), ['calm']);
      undisturbed = [...proxy.calls];
    });
    afterAll(async () => {
      await proxy?.close();
      await pebble?.stop();
    });

    test('each time there is one order and one certificate (INV-4, INV-30)', async () => {
      expect(undisturbed).toContain(NEW_ORDER);
      for (const [index, call] of undisturbed.entries())
        for (const when of ['before', 'after'] as const) {
          const name = `crash-${index + 1}-${when}`;
          const what = `${when} call ${index + 1}, ${call}`;
          const { orders, tries } = await crashAt(name, { at: index + 1, when, what });
          // Of an order that the CA never heard of, the second request is the first.
          const isUnheard = call === NEW_ORDER && when === 'before';
          expect({ what, orders }).toEqual({ what, orders: isUnheard ? 2 : 1 });
          expect({ what, tries }).toEqual({ what, tries: ['issued'] });
        }
    }, 600_000);

    /** Kills dom at that call, starts it again, and waits for the certificate. */
    async function crashAt(
      name: string,
      { what, ...at }: { readonly at: number; readonly when: 'before' | 'after'; what: string },
    ): Promise<{ readonly orders: number; readonly tries: readonly string[] }> {
      const { cluster } = scene();
      const killed = Promise.withResolvers<void>();
      let isKilled = false;
      const onCut = (): void => {
        isKilled = true;
        void cluster.dom.kill9().then(killed.resolve);
      };
      theProxy().count({ ...at, onCut });
      await apply(scene(), certificate(name));
      const isOver = async () => isKilled || (await isReady(name));
      const uncut = until(`dom is killed ${what}`, isOver, { timeoutMs: 60_000 }).then(() => {
        if (!isKilled) throw new Error(`${name} is Ready, and dom was not killed ${what}`);
        return killed.promise;
      });
      await Promise.race([killed.promise, uncut]);
      const before = [...theProxy().calls];
      theProxy().count();
      cluster.dom.start();
      await cluster.domReady();
      await until(`${name} is Ready`, () => isReady(name), { timeoutMs: 60_000 });
      const calls = [...before, ...theProxy().calls];
      const { tries = [] } = (await read(scene(), 'certificate', name)).status ?? {};
      return {
        orders: calls.filter((each) => each === NEW_ORDER).length,
        tries: tries.map(({ outcome }) => outcome),
      };
    }

    async function isReady(name: string): Promise<true | undefined> {
      const { conditions = [] } = (await read(scene(), 'certificate', name)).status ?? {};
      return (
        conditions.some(({ type, status }) => type === 'Ready' && status === 'True') || undefined
      );
    }
  },
);

function certificate(name: string): string {
  return manifest('Certificate', name, { names: [`${name}.acme.test`], issuer: 'ca' });
}
