import type { PlanObject } from '../proto/gen/b8s/v1/plan.ts';
import { SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { isDigest } from '../runtime/content/digest.ts';
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
  if (served.previews.size > 0) {
    const previews = [...served.previews].map(([host, release]) => ({ host, release }));
    objects.set(PREVIEWS, {
      key: PREVIEWS,
      object: { $case: 'site', value: { ...NO_SITE, previews } },
    });
  }
  for (const [uid, value] of served.previewCertificates) {
    const key = `${PREVIEW_CERTIFICATE}${uid}`;
    objects.set(key, { key, object: { $case: 'certificate', value } });
  }
  for (const [uid, value] of served.certificates) {
    const key = `${CERTIFICATE}${uid}`;
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
    certificates: startingWith(CERTIFICATE, certificates),
    previews: new Map(
      sites
        .flatMap(({ previews }) => previews)
        .flatMap(({ host, release }) => (isDigest(release) ? [[host, release] as const] : [])),
    ),
    previewCertificates: startingWith(PREVIEW_CERTIFICATE, certificates),
    databases: (geo?.databases ?? []).map(({ digest }) => digest).filter(isDigest),
  };
}

/** By what follows the prefix. */
function startingWith<Value>(
  prefix: string,
  values: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  const found = [...values].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

const CERTIFICATE = 'certificate/';
const PREVIEW_CERTIFICATE = 'preview-certificate/';
/** A site of no uid: an older sub finds no release there. */
const PREVIEWS = 'previews';
const NO_SITE = SitePlan.fromPartial({});

function textOf(served: Served): string {
  const { releases, certificates, previews, previewCertificates, databases } = served;
  const fingerprints = [certificates, previewCertificates].map((each) =>
    [...each].map(([uid, { fingerprint }]) => [uid, fingerprint]),
  );
  return JSON.stringify([[...releases], [...previews], fingerprints, databases]);
}
