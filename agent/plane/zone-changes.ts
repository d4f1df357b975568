import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone, packZone } from '../../runtime/packed-zone.ts';
import type { ToWorker } from './messages.ts';

/** How a list of zones differs from the one before; small where few of many zones changed. */
export interface ZoneChanges {
  /** Zones that the list before did not have: their bytes, which are shared, not copied. */
  readonly added: readonly Uint8Array[];
  /** For each place: where it was in the list before, or for the n-th added one -1 - n. */
  readonly places: Int32Array;
}

/**
 * A plan keeps the objects of what did not change, so zones are told apart by identity: what is not
 * the same object is sent anew.
 */
export function zoneChanges(before: readonly ZonePlan[], after: readonly ZonePlan[]): ZoneChanges {
  const placesBefore = new Map(before.map((zone, place) => [zone, place]));
  const added: Uint8Array[] = [];
  const places = Int32Array.from(after, (zone) => {
    const place = placesBefore.get(zone);
    return place ?? -added.push(packZone(zone).bytes);
  });
  return { added, places };
}

/** The list that the changes lead to. Throws a RangeError when they are not of this list. */
export function changedZones(
  before: readonly ZonePlan[],
  { added, places }: ZoneChanges,
): readonly ZonePlan[] {
  return Array.from(places, (place) => {
    const bytes = added[-1 - place];
    const zone = bytes === undefined ? before[place] : new PackedZone(bytes);
    if (zone === undefined) throw new RangeError('zones changed that were never sent');
    return zone;
  });
}

/**
 * For one worker: of the zones of each message only what changed since the one before. Copying all
 * zones into a thread for a change in one takes seconds where there are thousands.
 */
export function shrinkMessages(): (message: ToWorker) => ToWorker {
  let sent: readonly ZonePlan[] = [];
  return (message) => {
    if (message.kind !== 'apply' || message.snapshot.kind !== 'dns') return message;
    const { snapshot } = message;
    const { zones } = snapshot.dns;
    const changes = zoneChanges(sent, zones);
    sent = zones;
    const dns = { ...snapshot.dns, zones: [] };
    return { ...message, snapshot: { ...snapshot, dns, zoneChanges: changes } };
  };
}

/** The other end: every message has to pass, in order, also one that is overtaken later. */
export function growMessages(): (message: ToWorker) => ToWorker {
  let received: readonly ZonePlan[] = [];
  return (message) => {
    if (message.kind !== 'apply' || message.snapshot.kind !== 'dns') return message;
    const { zoneChanges: changes, ...snapshot } = message.snapshot;
    if (changes === undefined) return message;
    received = changedZones(received, changes);
    return { ...message, snapshot: { ...snapshot, dns: { ...snapshot.dns, zones: received } } };
  };
}
