import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testSnapshot, testZone } from '../../agent/plane/plane-fixture.ts';
import { openThreads, type ThreadsUnderTest } from '../../agent/plane/threads.fixture.ts';
import { planObjects } from '../../agent/session/plan-objects.ts';
import { buildSnapshot, NOTHING_SERVED } from '../../agent/snapshot.ts';
import type { ChallengePlan, PlanObject, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { AcmeAccount, ChallengeType } from '../../runtime/acme/acme.ts';
import {
  type AcmeScene,
  finish,
  newAccount,
  readyOrder,
  txtValue,
} from '../../runtime/acme/scene.case.ts';
import { createAcmeClient } from '../../runtime/node/acme/acme.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { certificateReader } from '../../runtime/node/tls/certificate-reader.ts';
import { type Pebble, pebbleMissing, startPebble } from '../support/pebble.ts';

const ORIGIN = 'example.com';
const missing = pebbleMissing();
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

/** What a plan of dom holds of a proof. */
type Proof = Parameters<AcmeScene['prove']>[0];

describe.skipIf(missing !== undefined)(
  `Pebble looks at our own nameserver and edges${suffix}`,
  () => {
    const clock = systemClock();
    const acme = createAcmeClient({ clock });
    let plane: ThreadsUnderTest;
    let pebble: Pebble;
    let scene: AcmeScene;
    let account: AcmeAccount;
    let [sequence, proofs]: [number, readonly Proof[]] = [0, []];

    /** Hands the plan to all workers, and waits until what it proposes can be seen. */
    async function show(next: readonly Proof[]): Promise<void> {
      proofs = next;
      sequence += 1;
      const objects: readonly PlanObject[] = [zoneObject(sequence, next), ...next.map(challenge)];
      const { snapshot } = buildSnapshot({
        plan: planObjects(new Map(objects.map((object) => [object.key, object]))),
        content: { verified: new Set(), blobs: new Set(), variants: new Map() },
        ...{ previous: NOTHING_SERVED, node: 'london', health: {}, sequence, nowMs: clock.nowMs() },
      });
      const report = await plane.plane.apply({ ...testSnapshot(sequence), ...snapshot });
      const tokens = next.filter(({ type }) => type !== 'dns-01').map(({ token }) => token);
      expect(report.challenges.toSorted()).toEqual(tokens.toSorted());
      expect(report.zones[0]).toMatchObject({ serial: sequence, error: undefined });
    }

    beforeAll(async () => {
      plane = await openThreads({ edge: 2, dns: 1 });
      pebble = await startPebble({
        dnsServer: `127.0.0.1:${plane.dnsPort}`,
        httpPort: plane.httpPort,
        tlsPort: plane.httpsPort,
      });
      scene = {
        ...{ acme, reader: certificateReader, roots: [] },
        server: { directory: pebble.directory, caPem: pebble.caPem },
        nowhere: { directory: '' },
        deactivate: () => Promise.reject(new Error('not asked for here')),
        prove: (proof) => show([...proofs, proof]),
        pass: () => clock.sleep(20),
        close: () => show([]),
      };
      account = await newAccount(scene);
    });
    afterAll(async () => {
      acme.close();
      await pebble.stop();
      await plane.close();
    });

    test.each<{ type: ChallengeType; names: readonly string[] }>([
      { type: 'dns-01', names: ['a.example.com', 'b.example.com'] },
      { type: 'dns-01', names: ['c.example.com', '*.c.example.com'] },
      { type: 'http-01', names: ['d.example.com', 'e.example.com'] },
      { type: 'tls-alpn-01', names: ['f.example.com', 'g.example.com'] },
    ])('$type proves $names', async ({ type, names }) => {
      const order = await readyOrder(scene, account, { names, type });
      const { chain, keyPem } = await finish(scene, account, order);
      const facts = certificateReader.read(chain, keyPem);
      expect(facts.names.toSorted()).toEqual(names.toSorted());
      expect(facts.problems).toEqual([]);
      await scene.close();
    });

    test.each<ChallengeType>(['dns-01', 'http-01', 'tls-alpn-01'])(
      'with %s nothing is proven by the proof of another token',
      async (type) => {
        const wrong: AcmeScene = {
          ...scene,
          prove: (proof) => show([{ ...proof, keyAuthorization: `${proof.token}.other` }]),
        };
        const names = [`wrong-${type}.example.com`];
        const { status, problem } = await readyOrder(wrong, account, { names, type });
        expect([status, problem?.type]).toEqual(['invalid', 'unauthorized']);
        await scene.close();
      },
    );
  },
);

/** Every name of the zone leads to this machine; a proof is a text below it. */
function zoneObject(serial: number, proofs: readonly Proof[]): PlanObject {
  const texts = proofs.filter(({ type }) => type === 'dns-01');
  const byName = Map.groupBy(texts, ({ name }) => `_acme-challenge.${name}`);
  const records: ZonePlan['records'] = [
    { name: ORIGIN, type: 'NS', ttlS: 60, values: [`ns.${ORIGIN}.`] },
    { name: `ns.${ORIGIN}`, type: 'A', ttlS: 60, values: ['127.0.0.1'] },
    { name: `*.${ORIGIN}`, type: 'A', ttlS: 60, values: ['127.0.0.1'] },
    ...[...byName].map(([name, some]) => ({
      ...{ name, type: 'TXT', ttlS: 1 },
      values: some.map(({ keyAuthorization }) => `"${txtValue(keyAuthorization)}"`),
    })),
  ];
  const value = testZone(serial, { origin: ORIGIN, records, geoNames: [] });
  return { key: 'zone/default/example', object: { $case: 'zone', value } };
}

function challenge({ type, name: host, token, keyAuthorization }: Proof): PlanObject {
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const value: ChallengePlan = {
    uid: token,
    http: type === 'http-01' ? [{ host, token, keyAuthorization }] : [],
    alpn: type === 'tls-alpn-01' ? [{ host, token, digest }] : [],
  };
  return { key: `challenge/${token}`, object: { $case: 'challenge', value } };
}
