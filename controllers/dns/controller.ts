import { isDeepStrictEqual } from 'node:util';
import { isWithin } from '../../api/records.ts';
import type { Site } from '../../api/site.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/controller.ts';
import { qualifiedName, splitName } from '../../runtime/keys.ts';
import { nodeViews } from '../../runtime/node-view.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/world.ts';
import type { Author, Operation, Writer } from '../../runtime/writer.ts';
import { planZone } from './plan.ts';

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
  if (isKind(object, 'Node')) return isBeyondStatus(change) ? everyZone(world) : [];
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
  if (zone === undefined) {
    // Safe though read from the mirror: a record is written only while its Zone is there.
    return afterWrite(await writer.commit(stored === undefined ? [] : [write(undefined)], AUTHOR));
  }
  const { record, status } = planZone(
    {
      zone,
      zones: world.list('Zone'),
      sites: world.list('Site'),
      nodes: nodeViews(world),
      previous: stored?.value.zoneUid === zone.metadata.uid ? stored.value : undefined,
      serials: world
        .records('zone')
        .map(([, { value }]) => value)
        .filter(({ origin }) => origin === zone.spec.origin)
        .map(({ serial }) => serial),
    },
    clock.nowMs(),
  );
  const operations: Operation[] = [{ kind: 'status', base: zone, status }];
  if (!isDeepStrictEqual(record, stored?.value))
    operations.push({ kind: 'expect', base: zone }, write(record));
  return afterWrite(await writer.commit(operations, AUTHOR));

  function write(value: typeof record): Operation {
    const modRevision = stored?.modRevision ?? 0n;
    return { kind: 'record', record: 'zone', id: name, value, modRevision };
  }
}
