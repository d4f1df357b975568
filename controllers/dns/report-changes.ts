import { isDeepStrictEqual } from 'node:util';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { ReportRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { ZoneProofs } from './zone-proofs.ts';

/** What a report says otherwise than the one before of the same machine. */
export interface ReportChange {
  /** By uid. */
  readonly sites: ReadonlySet<string>;
  /** By uid. */
  readonly zones: ReadonlySet<string>;
  /** Of proofs. */
  readonly tokens: ReadonlySet<string>;
}

/**
 * What changes in the reports of nodes. Each proof and each certificate changes the report of every
 * edge, and each version of a zone that of every nameserver: a thousand zones are not all looked at
 * each time. What it remembers only saves work: of a machine that it does not know it says so.
 */
export class ReportChanges {
  readonly #world: Pick<World, 'record'>;
  readonly #known = new Map<string, ReportRecord>();

  constructor(world: Pick<World, 'record'>) {
    this.#world = world;
  }

  /** Undefined: anything may have changed. */
  of(node: string): ReportChange | undefined {
    const before = this.#known.get(node);
    const after = this.#world.record('report', node)?.value;
    if (after === undefined) this.#known.delete(node);
    else this.#known.set(node, after);
    if (before === undefined || after === undefined) return undefined;
    if (before.nodeUid !== after.nodeUid) return undefined;
    return {
      sites: changed(before.sites, after.sites),
      zones: changed(before.zones, after.zones),
      tokens: new Set(before.challenges).symmetricDifference(new Set(after.challenges)),
    };
  }
}

/** The zones, `namespace/name`, that depend on what changed in themselves, or on proofs. */
export function zonesOf(
  world: Pick<World, 'list'>,
  proofs: ZoneProofs,
  { zones, tokens }: ReportChange,
): readonly string[] {
  if (zones.size + tokens.size === 0) return [];
  return world.list('Zone').flatMap(({ metadata }) => {
    const name = qualifiedName(metadata);
    const isShown = (): boolean =>
      proofs.of(name).some((proof) => proof.kind === 'host' && tokens.has(proof.token));
    return zones.has(metadata.uid) || (tokens.size > 0 && isShown()) ? [name] : [];
  });
}

interface Part {
  readonly uid: string;
}

function changed(before: readonly Part[], after: readonly Part[]): ReadonlySet<string> {
  const known = new Map(before.map((part) => [part.uid, part]));
  const uids = new Set<string>();
  for (const part of after) {
    if (!isDeepStrictEqual(known.get(part.uid), part)) uids.add(part.uid);
    known.delete(part.uid);
  }
  for (const uid of known.keys()) uids.add(uid);
  return uids;
}
