import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { packZone } from '../../../runtime/dns/packed-zone.ts';
import { type NameKey, parseName, ROOT } from '../message/name.ts';
import { compileZone } from './compile-zone.ts';
import type { CompiledZone, ZoneOutcome } from './zone.ts';
import { MadeNodes } from './zone-nodes.ts';

/** What plans were compiled to. */
export interface CompiledPlans {
  /** For as long as somebody holds them. */
  readonly zones: WeakMap<ZonePlan, CompiledZone>;
  /** Of all these zones together. */
  readonly made: MadeNodes;
}

export function noCompiledPlans(): CompiledPlans {
  return { zones: new WeakMap(), made: new MadeNodes() };
}

/**
 * Compiles every zone on its own, those that are in `compiled` not again. A malformed one does not
 * stop the others, and what was served of it before (in `previous`, by the same uid) is served on
 * (INV-5, INV-38). Outcomes in the order of `plans`.
 */
export function compileZones(
  plans: readonly ZonePlan[],
  previous: ReadonlyMap<NameKey, CompiledZone> = new Map(),
  compiled: CompiledPlans = noCompiledPlans(),
): {
  readonly zones: ReadonlyMap<NameKey, CompiledZone>;
  readonly outcomes: readonly ZoneOutcome[];
} {
  const zones = new Map<NameKey, CompiledZone>();
  const outcomes = plans.map((plan): ZoneOutcome => {
    const known = compiled.zones.get(plan);
    const { zone, error } =
      known === undefined ? compileOrKeep(plan, { previous, compiled }) : { zone: known };
    if (zone !== undefined) zones.set(zone.origin, zone);
    if (zone !== undefined && error === undefined) return zone.outcome;
    const { uid, name } = plan;
    return { ...(zone?.outcome ?? { uid, serial: undefined }), name, error };
  });
  return { zones, outcomes };
}

/** Of plans, between two pauses: some 3,000 record sets, 15 ms of work. */
const BYTES_BETWEEN_PAUSES = 128 * 1024;

/**
 * Compiles into `compiled` what is not there, with pauses: a million records take seconds, in which
 * queries and pings are to be answered. What is malformed is left for `compileZones` to report.
 */
export async function compileAhead(
  plans: readonly ZonePlan[],
  compiled: CompiledPlans,
  pause: () => Promise<void>,
): Promise<void> {
  let bytes = 0;
  for (const plan of plans) {
    if (compiled.zones.has(plan)) continue;
    try {
      compiled.zones.set(plan, compileZone(plan, compiled.made));
    } catch {
      // One malformed zone stops no other.
    }
    bytes += packZone(plan).bytes.length;
    if (bytes < BYTES_BETWEEN_PAUSES) continue;
    bytes = 0;
    await pause();
  }
}

function compileOrKeep(
  plan: ZonePlan,
  {
    previous,
    compiled,
  }: {
    readonly previous: ReadonlyMap<NameKey, CompiledZone>;
    readonly compiled: CompiledPlans;
  },
): { readonly zone: CompiledZone | undefined; readonly error?: string } {
  try {
    const zone = compileZone(plan, compiled.made);
    compiled.zones.set(plan, zone);
    return { zone };
  } catch (cause) {
    const kept = previous.get(parseName(plan.origin) ?? ROOT);
    const error = cause instanceof Error ? cause.message : String(cause);
    return { zone: kept?.uid === plan.uid ? kept : undefined, error };
  }
}
