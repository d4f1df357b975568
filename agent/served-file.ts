import type { PlanObject } from '../proto/gen/b8s/v1/plan.ts';
import { SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { isDigest } from '../runtime/digest.ts';
import type { PlanFile } from './session/plan-file.ts';
import { planObjects } from './session/plan-objects.ts';
import { NOTHING_SERVED, type Served } from './snapshot.ts';

/** Remembers what is served. As a plan, for it holds the same things and is as secret as one. */
export async function saveServed(file: PlanFile, served: Served): Promise<void> {
  const objects = new Map<string, PlanObject>();
  for (const [uid, serving] of served.releases) {
    const key = `site/${uid}`;
    objects.set(key, { key, object: { $case: 'site', value: { ...NO_SITE, uid, serving } } });
  }
  for (const [uid, value] of served.certificates) {
    const key = `certificate/${uid}`;
    objects.set(key, { key, object: { $case: 'certificate', value } });
  }
  const databases = served.databases.map((digest) => ({ digest, sizeBytes: 0n }));
  objects.set('geo', { key: 'geo', object: { $case: 'geo', value: { databases } } });
  const position = { epoch: 0n, revision: 0n };
  await file.save({ position, objects, digestCheck: 'agreed' });
}

/** Nothing where there is no file, or a damaged one. */
export async function loadServed(file: PlanFile): Promise<Served> {
  const held = await file.load();
  if (held === undefined) return NOTHING_SERVED;
  const { sites, certificates, geo } = planObjects(held.objects);
  return {
    releases: new Map(
      sites.flatMap(({ uid, serving }) => (isDigest(serving) ? [[uid, serving] as const] : [])),
    ),
    certificates: new Map(
      [...certificates].map(([key, value]) => [key.slice('certificate/'.length), value]),
    ),
    databases: (geo?.databases ?? []).map(({ digest }) => digest).filter(isDigest),
  };
}

const NO_SITE = SitePlan.fromPartial({});

/** Whether it would be worth writing again. */
export function sameServed(a: Served, b: Served): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ releases, certificates, databases }: Served): string {
  const fingerprints = [...certificates].map(([uid, { fingerprint }]) => [uid, fingerprint]);
  return JSON.stringify([[...releases], fingerprints, databases]);
}
