import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { Report, SiteReport, SiteTraffic } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject, Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { planDigest } from '../../runtime/session/plan-digest.ts';
import {
  type DomScene,
  domScene,
  type NodeIdentity,
  type NodeSession,
  siteNamed,
} from '../test-scene.ts';

let scene: DomScene;

afterEach(() => scene.stop());

/** A node that holds what it is told and serves it at once; says what it was sent meanwhile. */
class Told {
  session: NodeSession;
  readonly #identity: NodeIdentity;
  readonly #objects = new Map<string, PlanObject>();
  #read = 0;

  #position: Position | undefined;

  constructor(identity: NodeIdentity) {
    this.#identity = identity;
    this.session = scene.open(identity);
    this.session.hello();
  }

  /** Takes the plans in that have come; gives the keys that they brought, `whole` for a snapshot. */
  takeIn(): readonly string[] {
    const plans = this.session.plans.slice(this.#read);
    this.#read = this.session.plans.length;
    return plans.flatMap((plan) => {
      if (plan.base === undefined) this.#objects.clear();
      for (const key of plan.removals) this.#objects.delete(key);
      for (const object of plan.upserts) this.#objects.set(object.key, object);
      this.#position = plan.position;
      expect(planDigest(this.#objects), 'what is held adds up').toBe(plan.digest);
      return [...(plan.base === undefined ? ['whole'] : []), ...plan.upserts.map(({ key }) => key)];
    });
  }

  /** In another session, with what it holds. */
  redial(): void {
    this.session = scene.open(this.#identity);
    this.#read = 0;
    this.session.hello({ held: this.#position, heldDigest: planDigest(this.#objects) });
  }

  beat([requests, serverErrors]: readonly [number, number] = [0, 0]): void {
    const { uid = '', serving: release = '' } = this.site() ?? {};
    const counts = { requests: BigInt(requests), serverErrors: BigInt(serverErrors) };
    const traffic = {
      sites: requests === 0 ? [] : [SiteTraffic.fromPartial({ uid, release, ...counts })],
    };
    this.session.send({ $case: 'heartbeat', value: { sequence: 1n, traffic } });
  }

  site() {
    const object = this.#objects.get('site/default/blog')?.object;
    return object?.$case === 'site' ? object.value : undefined;
  }

  report(): void {
    const site = this.site();
    if (site === undefined) return;
    const { uid, generation, serving, prepare } = site;
    const held = { uid, generation, serving, verified: prepare, certificate: 'f' };
    const sites = [SiteReport.fromPartial(held)];
    this.session.send({ $case: 'report', value: { ...Report.fromPartial({}), sites } });
  }
}

async function release(text: string): Promise<string> {
  const digestOf = (bytes: Uint8Array): Digest =>
    `sha256-${createHash('sha256').update(bytes).digest('hex')}`;
  const bytes = Buffer.from(text);
  const file = { path: 'index.html', digest: digestOf(bytes), sizeBytes: bytes.length };
  const manifest = encodeManifest([{ ...file, contentType: 'text/html' }]);
  const name = digestOf(manifest);
  for (const blob of [bytes, manifest]) await scene.term.blobs.put(digestOf(blob), once(blob));
  const spec = { site: 'blog', files: 1, sizeBytes: bytes.length };
  await scene.apply({ apiVersion: 'b8s.dev/v1', kind: 'Release', metadata: { name }, spec });
  return name;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Two nodes of both roles, an edge and a nameserver. */
class Fleet {
  readonly nodes: Told[] = [];
  /** By node, the keys of all that it was sent. */
  readonly keys: string[][] = [[], [], [], []];
  /** Of each: how many requests it says that it answered from what it serves, with how many errors. */
  readonly answered: (readonly [requests: number, errors: number])[] = [];

  static async gather(): Promise<Fleet> {
    scene = await domScene();
    const fleet = new Fleet();
    const both = ['edge', 'nameserver'];
    for (const [index, roles] of [both, both, ['edge'], ['nameserver']].entries())
      fleet.nodes.push(new Told(await scene.join('abcd'.charAt(index), roles)));
    return fleet;
  }

  /** All plans arrive, and all reports. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) {
      for (const [index, node] of this.nodes.entries()) {
        this.keys[index]?.push(...node.takeIn());
        node.report();
      }
      await scene.clock.advance(150);
    }
  }

  async live(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      for (const [index, node] of this.nodes.entries()) node.beat(this.answered[index]);
      await scene.clock.advance(1000);
    }
    await this.settle();
  }

  async publish(text: string, rollout: object = ROLLING): Promise<string> {
    const name = await release(text);
    await scene.apply(siteNamed('blog', { content: { release: name }, rollout }));
    await this.settle();
    return name;
  }

  get serving(): readonly (string | undefined)[] {
    return this.nodes.map((node) => node.site()?.serving);
  }

  get switchedAtMs(): readonly bigint[] {
    return this.nodes.slice(0, 3).map((node) => node.site()?.switchedAtMs ?? 0n);
  }
}

const ROLLING = { strategy: 'rolling', observe: '5s' };

test('nodes are told what each is to serve, by deltas that add up', async () => {
  const fleet = await Fleet.gather();
  const first = await fleet.publish('one');
  expect(fleet.serving).toEqual([first, first, first, undefined]);
  const [before = 0n] = fleet.switchedAtMs;
  expect([before > 0n, before % 1000n]).toEqual([true, 0n]);
  for (const keys of fleet.keys) keys.length = 0;

  const second = await fleet.publish('two');
  expect(fleet.serving).toEqual([second, first, first, undefined]);
  expect(fleet.nodes[1]?.site()?.prepare).toEqual([first, second].toSorted());
  const [after = 0n, ...others] = fleet.switchedAtMs;
  expect([after > before, others]).toEqual([true, [before, before]]);
  await fleet.live(6);
  expect(fleet.serving).toEqual([second, second, first, undefined]);
  await fleet.live(6);
  expect(fleet.serving).toEqual([second, second, second, undefined]);
  await fleet.live(6);
  expect(fleet.switchedAtMs).toEqual([after, after, after]);
  // Nobody needed to be told everything again.
  expect(fleet.keys.flat()).not.toContain('whole');
});

test('a node that answers with errors has the release undone, everywhere and with a later time', async () => {
  const fleet = await Fleet.gather();
  const first = await fleet.publish('one');
  await fleet.live(2);
  const second = await fleet.publish('two');
  const [switchedAtMs = 0n] = fleet.switchedAtMs;
  fleet.answered[0] = [40, 30];
  fleet.answered[1] = [40, 1];
  await fleet.live(2);
  expect(fleet.serving).toEqual([first, first, first, undefined]);
  const [undoneMs = 0n] = fleet.switchedAtMs;
  expect(undoneMs > switchedAtMs).toBe(true);
  expect(fleet.switchedAtMs).toEqual([undoneMs, undoneMs, undoneMs]);
  const { status } = scene.term.mirror.get('Site', { namespace: 'default', name: 'blog' }) ?? {};
  expect(status?.rollout).toMatchObject({
    ...{ release: second, from: first, phase: 'undone' },
    message: "75 % of the answers are errors (5xx), of the others' 2.5 %",
  });
  await fleet.live(60);
  expect(fleet.serving).toEqual([first, first, first, undefined]);
});

test('a node that dials anew in the midst of it is told what is its own', async () => {
  const fleet = await Fleet.gather();
  const first = await fleet.publish('one');
  const second = await fleet.publish('two');
  for (const index of [0, 1]) fleet.nodes[index]?.redial();
  await fleet.settle();
  expect(fleet.serving).toEqual([second, first, first, undefined]);
  for (let batch = 0; batch < 3; batch += 1) await fleet.live(6);
  expect(fleet.serving).toEqual([second, second, second, undefined]);
});
