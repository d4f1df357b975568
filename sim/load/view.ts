import { parseFakeCertificate } from '../../runtime/fake-authority.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask, request, SITES } from './clients.ts';
import { TYPE_NS, TYPE_SOA, TYPE_TXT } from './dns-client.ts';
import { CLIENTS } from './places.ts';
import { hostOf, ORIGIN } from './wish.ts';

/**
 * What every client gets from every nameserver, and what every node serves with which certificate,
 * as one text. `durable` leaves out what may differ where the same was wished: serials and keys.
 */
export async function viewOfAll(
  cluster: Cluster,
  nowMs: number,
  kind: 'whole' | 'durable' = 'whole',
): Promise<string> {
  const lines: string[] = [];
  for (const sub of cluster.subs) {
    lines.push(...viewOfZone(cluster, sub, nowMs, kind), ...viewOfHosts(cluster, sub, nowMs, kind));
    for (const name of SITES.map(hostOf)) {
      const answer = await sub.running?.serving?.request(request('/', name));
      const headers = JSON.stringify(answer?.headers);
      lines.push(`${sub.host.name} ${name} ${answer?.status} ${headers}`);
    }
    lines.push(...viewOfCertificates(sub, kind));
  }
  return lines.join('\n');
}

function viewOfHosts(
  cluster: Cluster,
  nameserver: Sub,
  nowMs: number,
  kind: 'whole' | 'durable',
): readonly string[] {
  return SITES.map(hostOf).flatMap((name) =>
    CLIENTS.map((client) => {
      const reply = ask(cluster, { nameserver, client, nowMs, name });
      return `${nameserver.host.name} ${name} ${client} ${textOf(reply, kind)}`;
    }),
  );
}

function viewOfZone(
  cluster: Cluster,
  nameserver: Sub,
  nowMs: number,
  kind: 'whole' | 'durable',
): readonly string[] {
  const [client = ''] = CLIENTS;
  return [TYPE_SOA, TYPE_NS, TYPE_TXT].map((type) => {
    const reply = ask(cluster, { nameserver, client, nowMs, name: ORIGIN, type });
    return `${nameserver.host.name} ${ORIGIN} type ${type} ${textOf(reply, kind)}`;
  });
}

function textOf(reply: ReturnType<typeof ask>, kind: 'whole' | 'durable'): string {
  if (reply === undefined || reply === 'down') return reply ?? 'nothing';
  const { rcode, serial, answer, additional } = reply;
  const records = [...answer, ...additional]
    .filter(({ type }) => kind === 'whole' || type !== TYPE_SOA)
    .map(({ name, ttlS, text }) => `${name} ${ttlS} ${text}`);
  const version = kind === 'whole' ? `serial ${serial}` : '';
  return `rcode ${rcode} ${version} ${records.join(', ')}`;
}

function viewOfCertificates({ host, running }: Sub, kind: 'whole' | 'durable'): readonly string[] {
  const { snapshot, report } = running?.inEffect ?? {};
  return (report?.sites ?? []).map(({ certificate }, index) => {
    const site = snapshot?.edge.sites[index]?.name;
    const inUse = snapshot?.edge.certificates.find((each) => each.fingerprint === certificate);
    const names = inUse === undefined ? [] : parseFakeCertificate(inUse.chainPem).names;
    const which = kind === 'whole' ? (certificate ?? 'none') : '';
    return `${host.name} ${site} certificate ${which} for ${names.join(' ')}`;
  });
}
