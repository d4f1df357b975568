import type { ZoneKey, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { zoneKeyContext } from '../../runtime/dns/dnssec.ts';
import type { SigningRecord, ZoneRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import { transferPlan, transferVersion } from './transfer-view.ts';
import type { OpenKey, ViewEntry } from './view-entry.ts';

/** The zones that nameservers serve. */
export function zoneEntries(world: World, openKey: OpenKey): readonly ViewEntry[] {
  return world.records('zone').map(([id, { value: zone, modRevision }]) => {
    const signing = zone.keys === undefined ? undefined : world.record('signing', id);
    return {
      key: `zone/${id}`,
      version: `${modRevision}${signing === undefined ? '' : `+${signing.modRevision}`}${transferVersion(world, zone)}`,
      make: () => ({
        key: `zone/${id}`,
        object: {
          $case: 'zone',
          value: {
            ...zonePlan(id, zone),
            keys: zoneKeys(zone, signing?.value, openKey),
            transfer: transferPlan(world, zone, openKey),
          },
        },
      }),
    };
  });
}

/**
 * The keys that this version of the zone has, none less: a zone whose DS the parent holds must not
 * be answered without them. Throws when one is missing in the store.
 */
function zoneKeys(
  { zoneUid, origin, keys = [] }: ZoneRecord,
  signing: SigningRecord | undefined,
  openKey: OpenKey,
): readonly ZoneKey[] {
  return keys.map(({ keyTag, publicKey, role, ds }) => {
    const own = signing?.keys.find((each) => each.publicKey === publicKey);
    if (own === undefined) throw new Error(`zone ${origin}: its key ${keyTag} is not in the store`);
    return {
      keyTag,
      publicKey: Buffer.from(publicKey, 'base64'),
      privatePem: openKey(own, zoneKeyContext(zoneUid)),
      role,
      ds: ds === 'unsaid' ? '' : ds,
    };
  });
}

function zonePlan(id: string, zone: ZoneRecord): Omit<ZonePlan, 'keys' | 'transfer'> {
  const [namespace = '', name = ''] = id.split('/');
  return {
    uid: zone.zoneUid,
    namespace,
    name,
    origin: zone.origin,
    serial: zone.serial,
    primaryNameserver: zone.primaryNameserver,
    mailbox: zone.mailbox,
    refreshS: zone.refreshS,
    retryS: zone.retryS,
    expireS: zone.expireS,
    negativeTtlS: zone.negativeTtlS,
    records: zone.records,
    geoNames: zone.geoNames.map((name) => ({ ...name, regions: name.regions ?? [] })),
  };
}
