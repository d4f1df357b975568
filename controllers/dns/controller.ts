import { isDeepStrictEqual } from 'node:util';
import { isWithin } from '../../api/records.ts';
import type { Site } from '../../api/site.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { nodeViews } from '../../runtime/session/node-view.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { SigningRecord, ZoneRecord } from '../../runtime/store/records.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import { planZone, type ZoneFacts, type ZonePlan } from './plan.ts';
import { publicKeys } from './plan-signing.ts';
import { wildcardOf } from './preview-names.ts';
import { ReportChanges, zonesOf } from './report-changes.ts';
import { greatestSerial } from './serial.ts';
import { type SigningPorts, stepSigning } from './step-signing.ts';
import { VersionTimes } from './version-times.ts';
import { ZoneProofs } from './zone-proofs.ts';

/** The id of the record of serials that are not served any more. */
const GONE = 'gone';
const AUTHOR: Author = { manager: 'dns-controller', user: 'dom' };

interface DnsPorts extends SigningPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Compiles each Zone with the Sites under it into what nameservers serve; a name is a Zone's. */
export function dnsController(ports: DnsPorts): Controller {
  const memory: Memory = {
    proofs: new ZoneProofs(ports.world),
    reports: new ReportChanges(ports.world),
    versions: new VersionTimes(ports.clock),
  };
  return {
    name: 'dns',
    affected: (change) => affected(ports.world, memory, change),
    reconcile: (name) => reconcile(ports, memory, name),
  };
}

/** Saves work, and decides nothing: a controller that begins anew has none. */
interface Memory {
  readonly proofs: ZoneProofs;
  readonly reports: ReportChanges;
  readonly versions: VersionTimes;
}

function affected(world: World, memory: Memory, change: WorldChange): readonly string[] {
  if (change.kind === 'record') {
    if (change.record === 'zone') return [change.id];
    if (change.record === 'acmeOrder') return memory.proofs.affectedBy(change.id);
    if (change.record === 'report') return byReport(world, memory, change.id);
    return EVERY_ZONE.has(change.record) ? everyZone(world) : [];
  }
  const { object, before } = change;
  if (isKind(object, 'Node')) {
    return isBeyondStatus(change) || isRelabelled(change) ? everyZone(world) : [];
  }
  if (isKind(object, 'Zone')) {
    const own = qualifiedName(object.metadata);
    return isBeyondStatus(change) ? [own, ...everyZone(world)] : [own];
  }
  if (!isKind(object, 'Site')) return [];
  return zonesAround(
    world,
    before !== undefined && isKind(before, 'Site') ? [object, before] : [object],
  );
}

function byReport(world: World, { proofs, reports }: Memory, node: string): readonly string[] {
  const change = reports.of(node);
  if (change === undefined) return everyZone(world);
  const { sites } = change;
  const served = sites.size === 0 ? [] : world.list('Site');
  const around = zonesAround(
    world,
    served.filter(({ metadata }) => sites.has(metadata.uid)),
  );
  return [...new Set([...around, ...zonesOf(world, proofs, change)])];
}

/** Labels are no part of the spec, and regions choose nodes by them. */
function isRelabelled({ object, before }: WorldChange & { readonly kind: 'object' }): boolean {
  return !isDeepStrictEqual(object.metadata.labels, before?.metadata.labels);
}

/** Records that any zone may depend on. */
const EVERY_ZONE: ReadonlySet<string> = new Set(['session', 'transferKey']);

function everyZone(world: World): readonly string[] {
  return world.list('Zone').map((zone) => qualifiedName(zone.metadata));
}

function zonesAround(world: World, sites: readonly Site[]): readonly string[] {
  const wildcards = sites.flatMap((site) => wildcardOf(site) ?? []);
  const hosts = [...sites.flatMap(({ spec }) => spec.hosts), ...wildcards];
  if (hosts.length === 0) return [];
  return world
    .list('Zone')
    .filter(({ spec }) => hosts.some((host) => isWithin(host, spec.origin)))
    .map((zone) => qualifiedName(zone.metadata));
}

/**
 * The zone with the next step of its keys. Where the version with them is not to be served, the
 * step waits: what is served must always have its keys in the store.
 */
function signedPlan(
  ports: DnsPorts,
  facts: ZoneFacts,
  found: SigningRecord | undefined,
): {
  readonly plan: ZonePlan;
  readonly signing: SigningRecord | undefined;
  readonly recheckInMs: number;
} {
  const nowMs = ports.clock.nowMs();
  const stored = found?.zoneUid === facts.zone.metadata.uid ? found : undefined;
  const { record, recheckInMs } = stepSigning(ports, { ...facts, stored }, nowMs);
  const plan = planZone({ ...facts, signing: record }, nowMs);
  const publics = record === undefined ? undefined : publicKeys(record);
  if (isDeepStrictEqual(plan.record?.keys, publics)) return { plan, signing: record, recheckInMs };
  return { plan: planZone({ ...facts, signing: stored }, nowMs), signing: stored, recheckInMs };
}

async function reconcile(
  ports: DnsPorts,
  { proofs, versions }: Memory,
  name: string,
): Promise<Outcome> {
  const { world, writer } = ports;
  const zone = world.get('Zone', splitName(name));
  const stored = world.record('zone', name);
  const gone = world.record('serial', GONE);
  const keys = world.record('signing', name);
  if (zone === undefined) {
    versions.forget(name);
    // Safe though read from the mirror: a record is written only while its Zone is there.
    const operations = stored === undefined ? [] : [write(undefined), ...remember(undefined)];
    return afterWrite(await writer.commit([...operations, ...keep(undefined)], AUTHOR));
  }
  const facts = {
    zone,
    zones: world.list('Zone'),
    sites: world.list('Site'),
    nodes: nodeViews(world),
    proofs: proofs.of(name),
    transferKeys: new Set(world.records('transferKey').map(([id]) => id)),
    previous: stored?.value.zoneUid === zone.metadata.uid ? stored.value : undefined,
    serials: [
      ...(gone === undefined ? [] : [gone.value.serial]),
      ...world
        .records('zone')
        .map(([, { value }]) => value)
        .filter(({ origin }) => origin === zone.spec.origin)
        .map(({ serial }) => serial),
    ],
  };
  const signed = signedPlan(ports, facts, keys?.value);
  const { record, status } = signed.plan;
  const isNew = !isDeepStrictEqual(record, stored?.value);
  const restMs = isNew ? versions.restMs(name, stored?.value, record) : 0;
  if (restMs > 0) return { recheckInMs: restMs };
  const writes = [...(isNew ? [write(record), ...remember(record)] : []), ...keep(signed.signing)];
  const expected: readonly Operation[] = writes.length > 0 ? [{ kind: 'expect', base: zone }] : [];
  const operations = [{ kind: 'status', base: zone, status } as const, ...expected, ...writes];
  const written = await writer.commit(operations, AUTHOR);
  if (isNew && written.outcome === 'written') versions.wrote(name);
  return afterWrite(written, signed.recheckInMs);

  function write(value: ZoneRecord | undefined): Operation {
    const modRevision = stored?.modRevision ?? 0n;
    return { kind: 'record', record: 'zone', id: name, value, modRevision };
  }

  /** In one write with the version that they sign: no version is ever without its keys. */
  function keep(value: SigningRecord | undefined): readonly Operation[] {
    if (isDeepStrictEqual(value, keys?.value)) return [];
    const modRevision = keys?.modRevision ?? 0n;
    return [{ kind: 'record', record: 'signing', id: name, value, modRevision }];
  }

  /**
   * The serial of a version that goes, for an origin may come again, perhaps when the clock was set
   * back, or more has changed than seconds have passed. One for all origins, so that it stays small.
   */
  function remember(next: ZoneRecord | undefined): readonly Operation[] {
    if (stored === undefined || next?.origin === stored.value.origin) return [];
    const serial = greatestSerial([stored.value.serial, ...(gone ? [gone.value.serial] : [])]);
    if (serial === undefined || serial === gone?.value.serial) return [];
    const modRevision = gone?.modRevision ?? 0n;
    return [{ kind: 'record', record: 'serial', id: GONE, value: { serial }, modRevision }];
  }
}
