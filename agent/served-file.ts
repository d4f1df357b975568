import type { PlanObject } from '../proto/gen/b8s/v1/plan.ts';
import { SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { isDigest } from '../runtime/digest.ts';
import { takeTurns } from '../runtime/turns.ts';
import type { PlanFile } from './session/plan-file.ts';
import { planObjects } from './session/plan-objects.ts';
import type { HeldPlan } from './session/plan-state.ts';
import { NOTHING_SERVED, type Served } from './snapshot.ts';

/**
 * Remembers what is served. As a plan, for it holds the same things and is as secret as one.
 *
 * Errors: `remember` throws when the disk is full or fails; what was there before is there still.
 */
export class ServedFile {
  readonly #file: PlanFile;
  readonly #inTurn = takeTurns();
  /** On disk by now. */
  #remembered = NOTHING_SERVED;

  constructor(file: PlanFile) {
    this.#file = file;
  }

  /** Nothing where there is no file, or a damaged one. */
  async load(): Promise<Served> {
    const held = await this.#file.load();
    if (held !== undefined) this.#remembered = decode(held);
    return this.#remembered;
  }

  /** Durable when it resolves. Cheap where nothing has changed. */
  remember(served: Served): Promise<void> {
    return this.#inTurn(async () => {
      if (textOf(served) === textOf(this.#remembered)) return;
      await this.#file.save(encode(served));
      this.#remembered = served;
    });
  }
}

function encode(served: Served): HeldPlan {
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
  return { position: { epoch: 0n, revision: 0n }, objects, digestCheck: 'agreed' };
}

function decode(held: HeldPlan): Served {
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

function textOf({ releases, certificates, databases }: Served): string {
  const fingerprints = [...certificates].map(([uid, { fingerprint }]) => [uid, fingerprint]);
  return JSON.stringify([[...releases], fingerprints, databases]);
}
