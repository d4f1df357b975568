import { isDeepStrictEqual } from 'node:util';
import { isWithin } from '../../api/records.ts';
import type { Site } from '../../api/site.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/controller.ts';
import { qualifiedName, splitName } from '../../runtime/keys.ts';
import { nodeViews } from '../../runtime/node-view.ts';
import type { ZoneRecord } from '../../runtime/records.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/world.ts';
import type { Author, Operation, Writer } from '../../runtime/writer.ts';
import { planZone } from './plan.ts';
import { greatestSerial } from './serial.ts';

/** The id of the record of serials that are not served any more. */
const GONE = 'gone';
const AUTHOR: Author = { manager: 'dns-controller', user: 'dom' };

interface DnsPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Compiles each Zone with the Sites under it into what nameservers serve; a name is a Zone's. */
export function dnsController(ports: DnsPorts): Controller {
  return {
    name: 'dns',
    affected: (change) => affected(ports.world, change),
    reconcile: (name) => reconcile(ports, name),
  };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') {
    if (change.record === 'zone') return [change.id];
    return change.record === 'session' || change.record === 'report' ? everyZone(world) : [];
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

/** Labels are no part of the spec, and regions choose nodes by them. */
function isRelabelled({ object, before }: WorldChange & { readonly kind: 'object' }): boolean {
  return !isDeepStrictEqual(object.metadata.labels, before?.metadata.labels);
}

function everyZone(world: World): readonly string[] {
  return world.list('Zone').map((zone) => qualifiedName(zone.metadata));
}

function zonesAround(world: World, sites: readonly Site[]): readonly string[] {
  const hosts = sites.flatMap(({ spec }) => spec.hosts);
  return world
    .list('Zone')
    .filter(({ spec }) => hosts.some((host) => isWithin(host, spec.origin)))
    .map((zone) => qualifiedName(zone.metadata));
}

async function reconcile(ports: DnsPorts, name: string): Promise<Outcome> {
  const { world, writer, clock } = ports;
  const zone = world.get('Zone', splitName(name));
  const stored = world.record('zone', name);
  const gone = world.record('serial', GONE);
  if (zone === undefined) {
    // Safe though read from the mirror: a record is written only while its Zone is there.
    const operations = stored === undefined ? [] : [write(undefined), ...remember(undefined)];
    return afterWrite(await writer.commit(operations, AUTHOR));
  }
  const { record, status } = planZone(
    {
      zone,
      zones: world.list('Zone'),
      sites: world.list('Site'),
      nodes: nodeViews(world),
      previous: stored?.value.zoneUid === zone.metadata.uid ? stored.value : undefined,
      serials: [
        ...(gone === undefined ? [] : [gone.value.serial]),
        ...world
          .records('zone')
          .map(([, { value }]) => value)
          .filter(({ origin }) => origin === zone.spec.origin)
          .map(({ serial }) => serial),
      ],
    },
    clock.nowMs(),
  );
  const operations: Operation[] = [{ kind: 'status', base: zone, status }];
  if (!isDeepStrictEqual(record, stored?.value))
    operations.push({ kind: 'expect', base: zone }, write(record), ...remember(record));
  return afterWrite(await writer.commit(operations, AUTHOR));

  function write(value: ZoneRecord | undefined): Operation {
    const modRevision = stored?.modRevision ?? 0n;
    return { kind: 'record', record: 'zone', id: name, value, modRevision };
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
