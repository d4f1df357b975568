import type { Node } from '../../api/node.ts';
import { absoluteName, isWithin } from '../../api/records.ts';
import type { Site } from '../../api/site.ts';
import type { Zone, ZoneRecord } from '../../api/zone.ts';
import { writeZoneFile } from '../../api/zone-file/write.ts';
import type { Api } from '../../runtime/api-client.ts';
import { type ZonesByOrigin, zoneOfHost, zonesByOrigin } from '../../runtime/dns/zones.ts';

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
  const added = nodes.flatMap((node) => glueOf(node, { nameservers, zone }));
  const comments = siteComments(zone, { zones: zonesByOrigin(zones), sites });
  const extras = { serial: serial ?? 1, nameservers, added, comments };
  const warnings = [
    ...(serial === undefined ? ['the zone is not served yet; its serial is said to be 1'] : []),
    ...(nameservers.length === 0 ? [`${origin} has no name server; others refuse it`] : []),
    ...withoutAddress(nameservers, { records: [...zone.spec.records, ...added], origin }),
    ...(comments.length === 0 ? [] : [SITES_WARNING]),
  ];
  return { text: writeZoneFile(zone.spec, extras), warnings };
}

/** Name servers in the zone itself need an address there. */
function withoutAddress(
  nameservers: readonly string[],
  { records, origin }: { readonly records: readonly ZoneRecord[]; readonly origin: string },
): readonly string[] {
  const addresses = records.filter(({ type }) => type === 'A' || type === 'AAAA');
  const known = new Set(addresses.map(({ name }) => absoluteName(name, origin)));
  return nameservers
    .filter((name) => isWithin(name, origin) && !known.has(name))
    .map((name) => `${name} is a name server without an address; BIND refuses such a zone`);
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
