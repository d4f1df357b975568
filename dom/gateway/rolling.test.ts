import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { Report, SiteReport } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import type { Digest } from '../../runtime/digest.ts';
import { encodeManifest } from '../../runtime/manifest.ts';
import { planDigest } from '../../runtime/plan-digest.ts';
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
  readonly session: NodeSession;
  readonly #objects = new Map<string, PlanObject>();
  #read = 0;

  constructor(identity: NodeIdentity) {
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
      expect(planDigest(this.#objects), 'what is held adds up').toBe(plan.digest);
      return [...(plan.base === undefined ? ['whole'] : []), ...plan.upserts.map(({ key }) => key)];
    });
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

test('nodes are told what each is to serve, by deltas that add up', async () => {
  scene = await domScene();
  const roles = [['edge', 'nameserver'], ['edge', 'nameserver'], ['edge'], ['nameserver']] as const;
  const nodes: Told[] = [];
  for (const [index, each] of roles.entries())
    nodes.push(new Told(await scene.join('abcd'.charAt(index), each)));
  const keysOf: string[][] = [[], [], [], []];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) {
      for (const [index, node] of nodes.entries()) {
        keysOf[index]?.push(...node.takeIn());
        node.report();
      }
      await scene.clock.advance(150);
    }
  };
  const rollout = { strategy: 'rolling', observe: '5s' };
  const first = await release('one');
  await scene.apply(siteNamed('blog', { content: { release: first }, rollout }));
  await settle();
  const serving = () => nodes.map((node) => node.site()?.serving);
  expect(serving()).toEqual([first, first, first, undefined]);
  const before = nodes[0]?.site()?.switchedAtMs ?? 0n;
  expect(before % 1000n).toBe(0n);
  expect(before).toBeGreaterThan(0n);
  for (const keys of keysOf) keys.length = 0;

  const second = await release('two');
  await scene.apply(siteNamed('blog', { content: { release: second }, rollout }));
  await settle();
  expect(serving()).toEqual([second, first, first, undefined]);
  expect(nodes[1]?.site()?.prepare).toEqual([first, second].toSorted());
  expect(nodes[1]?.site()?.switchedAtMs).toBe(before);
  const after = nodes[0]?.site()?.switchedAtMs ?? 0n;
  expect(after).toBeGreaterThan(before);

  const heartbeats = async (): Promise<void> => {
    for (const node of nodes) node.session.send({ $case: 'heartbeat', value: { sequence: 1n } });
    await scene.clock.advance(1000);
  };
  for (let second_ = 0; second_ < 7; second_ += 1) await heartbeats();
  await settle();
  expect(serving()).toEqual([second, second, first, undefined]);
  for (let time = 0; time < 20; time += 1) {
    await heartbeats();
    await settle();
  }
  expect(serving()).toEqual([second, second, second, undefined]);
  expect(nodes.slice(0, 3).map((node) => node.site()?.switchedAtMs)).toEqual([after, after, after]);
  // Nobody needed to be told everything again.
  expect(keysOf.flat()).not.toContain('whole');
});
