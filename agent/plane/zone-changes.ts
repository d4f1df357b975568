import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone, packZone } from '../../runtime/dns/packed-zone.ts';
import type { ZoneOutcome } from '../dns/zone/zone.ts';
import { changedList, type ListChanges, listChanges } from './list-changes.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** Zones as their bytes, which threads share: not copied. */
export type ZoneChanges = ListChanges<Uint8Array>;

/**
 * For one worker: of the zones of each message only what changed since the one before. A plan keeps
 * the objects of what did not change, so what is not the same object is sent anew.
 */
export function shrinkMessages(): (message: ToWorker) => ToWorker {
  let sent: readonly ZonePlan[] = [];
  return (message) => {
    if (message.kind !== 'apply' || message.snapshot.kind !== 'dns') return message;
    const { snapshot } = message;
    const { zones } = snapshot.dns;
    const { added, ...rest } = listChanges(sent, zones);
    sent = zones;
    const zoneChanges = { ...rest, added: added.map((zone) => packZone(zone).bytes) };
    return {
      ...message,
      snapshot: { ...snapshot, dns: { ...snapshot.dns, zones: [] }, zoneChanges },
    };
  };
}

/** The other end: every message has to pass, in order, also one that is overtaken later. */
export function growMessages(): (message: ToWorker) => ToWorker {
  let received: readonly ZonePlan[] = [];
  return (message) => {
    if (message.kind !== 'apply' || message.snapshot.kind !== 'dns') return message;
    const { zoneChanges: changes, ...snapshot } = message.snapshot;
    if (changes === undefined) return message;
    const added = changes.added.map((bytes) => new PackedZone(bytes));
    received = changedList(received, { ...changes, added });
    return { ...message, snapshot: { ...snapshot, dns: { ...snapshot.dns, zones: received } } };
  };
}

/** The same on the way back: of what a worker serves of each zone, only what is new. */
export function shrinkReports(): (message: FromWorker) => FromWorker {
  let sent: readonly ZoneOutcome[] = [];
  return (message) => {
    if (message.kind !== 'applied') return message;
    const { zones } = message.report;
    const zoneChanges = listChanges(sent, zones);
    sent = zones;
    return { ...message, report: { ...message.report, zones: [] }, zoneChanges };
  };
}

export function growReports(): (message: FromWorker) => FromWorker {
  let received: readonly ZoneOutcome[] = [];
  return (message) => {
    if (message.kind !== 'applied' || message.zoneChanges === undefined) return message;
    const { zoneChanges: changes, ...whole } = message;
    received = changedList(received, changes);
    return { ...whole, report: { ...whole.report, zones: received } };
  };
}
