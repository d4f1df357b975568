import type { Node } from '../api/node.ts';
import { isWithin } from '../api/records.ts';
import type { Site } from '../api/site.ts';
import type { Zone, ZoneRecord } from '../api/zone.ts';
import { writeZoneFile } from '../api/zone-file/write.ts';
import type { Api } from '../runtime/api-client.ts';
import { type ZonesByOrigin, zoneOfHost, zonesByOrigin } from '../runtime/zones.ts';

export interface ExportedZone {
  readonly text: string;
  /** What the file does not say, or says only for want of something better. */
  readonly warnings: readonly string[];
}

/** A zone as a file, with what b8s adds to it: name servers, their addresses, the serial. */
export async function zoneFileOf(zone: Zone, api: Api): Promise<ExportedZone> {
  const zones = await objectsOf<Zone>(api, 'Zone');
  const nodes = await objectsOf<Node>(api, 'Node');
  const sites = await objectsOf<Site>(api, 'Site');
  const { origin } = zone.spec;
  const nameservers = zone.spec.nameservers ?? zone.status?.nameservers ?? [];
  const serial = zone.status?.serial;
  const hosts = siteComments(zone, { zones: zonesByOrigin(zones), sites });
  const text = writeZoneFile(zone.spec, {
    serial: serial ?? 1,
    nameservers,
    added: nodes.flatMap((node) => glueOf(node, { nameservers, zone })),
    comments: hosts,
  });
  const inside = hosts.length === 0 ? [] : [SITES_WARNING];
  const unserved =
    serial === undefined ? ['the zone is not served yet; its serial is said to be 1'] : [];
  const orphan =
    nameservers.length === 0 ? [`${origin} has no name servers; other servers refuse it`] : [];
  return { text, warnings: [...unserved, ...orphan, ...inside] };
}

const SITES_WARNING =
  'hosts of Sites are comments only: their addresses depend on who asks, see the end of the file';

async function objectsOf<Kind>(api: Api, kind: string): Promise<readonly Kind[]> {
  const { objects } = await api.list({ kind, namespace: '' });
  return objects as readonly unknown[] as readonly Kind[];
}

/** The addresses of `<node>.ns.<origin>`, as the zone is answered with. */
function glueOf(
  { metadata, spec }: Node,
  { nameservers, zone }: { readonly nameservers: readonly string[]; readonly zone: Zone },
): readonly ZoneRecord[] {
  const name = `${metadata.name}.ns.${zone.spec.origin}`;
  if (!nameservers.includes(name)) return [];
  const sets = [
    { name: `${name}.`, type: 'A', values: spec.ipv4 },
    { name: `${name}.`, type: 'AAAA', values: spec.ipv6 },
  ];
  return sets.filter(({ values }) => values.length > 0);
}

function siteComments(
  zone: Zone,
  { zones, sites }: { readonly zones: ZonesByOrigin; readonly sites: readonly Site[] },
): readonly string[] {
  return sites.flatMap(({ metadata, spec, status }) => {
    const own = spec.hosts.filter(
      (host) =>
        isWithin(host, zone.spec.origin) &&
        zoneOfHost(zones, host)?.metadata.uid === zone.metadata.uid,
    );
    const nodes = status?.dns?.candidates ?? [];
    const among = nodes.length === 0 ? 'no node yet' : nodes.join(', ');
    const { policy } = spec.routing;
    return own.map((host) => {
      return `${host}. ${spec.ttl} A AAAA of Site ${metadata.namespace}/${metadata.name}: ${policy} of ${among}`;
    });
  });
}
