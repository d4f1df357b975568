import { HELD_PLAN_PATH, planFile } from '../../agent/session/plan-file.ts';
import { kinds } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { PackedZone } from '../../runtime/dns/packed-zone.ts';
import { silentLog } from '../../runtime/log.ts';
import { answersOf, type Scene, servedBy } from './look.ts';
import { type Normal, normalizer } from './normal.ts';
import { renderText } from './render-text.ts';
import { CLIENTS, type Client } from './scenario.ts';

/**
 * All that can be seen of a world from outside, as one text: what dom says, what each node was told
 * and serves, and what its nameservers answer. What differs from world to world and means nothing is
 * left out: revisions, uids, times, ports, keys; addresses are their nodes, digests their versions.
 */
export async function observe(scene: Scene): Promise<string> {
  const { cast } = scene;
  const normal = normalizer(scene);
  const up = cast.nodes(['up']);
  const others = cast.nodes(['absent', 'paused', 'down', 'removed']);
  return renderText({
    dom: await observeDom(scene, normal),
    ...(others.length > 0 && {
      others: Object.fromEntries(others.map((node) => [node, cast.phase(node)])),
    }),
    plan: await alike(up, (node) => observePlan(scene, normal, node)),
    serves: await alike(cast.nodes(['up'], 'edge'), (node) => observeSites(scene, node)),
    answers: await alike(cast.nodes(['up'], 'nameserver'), (node) => observeAnswers(scene, node)),
  });
}

/** Events tell of the way, not of where it has led. */
const UNOBSERVED: ReadonlySet<string> = new Set(['Event']);

async function observeDom({ stage }: Scene, normal: Normal): Promise<unknown> {
  const observed: Record<string, unknown> = {};
  for (const { kind } of kinds) {
    if (UNOBSERVED.has(kind)) continue;
    const objects = await stage.list(kind);
    if (objects === undefined) return 'does not answer';
    for (const object of objects) observed[normal.text(nameOf(object))] = objectOf(object, normal);
  }
  return observed;
}

function nameOf({ kind, metadata }: Resource): string {
  return `${kind}/${metadata.name}`;
}

function objectOf({ metadata, spec, status }: Resource, normal: Normal): unknown {
  const { conditions = [], observedGeneration, ...rest } = status ?? {};
  const isCurrent = observedGeneration === undefined || observedGeneration === metadata.generation;
  const owners = (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`);
  return {
    ...(owners.length > 0 && { ownedBy: owners.toSorted() }),
    ...(metadata.deletionTimestamp !== undefined && { deleted: 'half' }),
    spec: normal.data(spec),
    ...(isCurrent ? {} : { statusOf: 'an older generation' }),
    ...(conditions.length > 0 && {
      conditions: Object.fromEntries(
        conditions
          .toSorted((a, b) => (a.type < b.type ? -1 : 1))
          .map(({ type, status: is, reason }) => [type, `${is} (${reason})`]),
      ),
    }),
    ...(normal.data(rest) as object),
  };
}

async function observePlan({ stage }: Scene, normal: Normal, node: string): Promise<unknown> {
  const held = await planFile(stage.disk(node) as Disk, HELD_PLAN_PATH, silentLog).load();
  if (held === undefined) return 'none';
  return Object.fromEntries(
    [...held.objects].map(([key, { object }]) => [key, normal.data(unpacked(object?.value))]),
  );
}

/** A zone stays packed on a node; what stands in it is what is observed. */
function unpacked(value: unknown): unknown {
  return value instanceof PackedZone ? ZonePlan.decode(value.bytes) : value;
}

async function observeSites(scene: Scene, node: string): Promise<unknown> {
  const sites = [...scene.cast.hosts().keys()].toSorted();
  return Object.fromEntries(
    await Promise.all(sites.map(async (site) => [site, await servedBy(scene, node, site)])),
  );
}

async function observeAnswers(scene: Scene, node: string): Promise<unknown> {
  const observed: Record<string, unknown> = {};
  for (const { name, type } of scene.cast.asked()) {
    const byClient = new Map<string, string>();
    for (const from of Object.keys(CLIENTS) as Client[]) {
      const answers = await answersOf(scene, node, { name, type, from });
      byClient.set(from, answers.join(', ') || 'nothing');
    }
    const different = new Set(byClient.values());
    observed[`${name} ${type}`] =
      different.size === 1 ? [...different][0] : Object.fromEntries(byClient);
  }
  return observed;
}

/** What is seen of each, and those of whom the same is seen together. */
async function alike(
  nodes: readonly string[],
  look: (node: string) => Promise<unknown>,
): Promise<unknown> {
  const groups = new Map<string, { readonly names: string[]; readonly seen: unknown }>();
  for (const node of nodes) {
    const seen = await look(node);
    const key = JSON.stringify(seen);
    const group = groups.get(key) ?? { names: [], seen };
    group.names.push(node);
    groups.set(key, group);
  }
  return Object.fromEntries(
    [...groups.values()].map(({ names, seen }) => [names.join(', '), seen]),
  );
}
