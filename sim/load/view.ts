import type { HttpAnswer } from '../../runtime/http.ts';
import { parseFakeCertificate } from '../../runtime/tls/fake-authority.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask, request, SITES } from './clients.ts';
import { TYPE_A, TYPE_NS, TYPE_SOA, TYPE_TXT } from './dns-client.ts';
import { CLIENTS } from './places.ts';
import { hostOf, ORIGIN, SIDE_ORIGIN } from './wish.ts';

export interface View {
  readonly cluster: Cluster;
  /** The true time, milliseconds since 1970. */
  readonly nowMs: number;
  /**
   * `everything`: also what the past decides. `wished`: only what should be the same wherever the
   * same was wished: no serials and no keys, and nothing of other machines and sites.
   */
  readonly of: 'everything' | 'wished';
}

/**
 * What every client gets from every nameserver, and what every node serves with which certificate,
 * as one text.
 */
export async function viewOfAll(view: View): Promise<string> {
  const { cluster, of } = view;
  const lines: string[] = [];
  for (const sub of cluster.subs) {
    if (of === 'wished' && !cluster.wish.nodes.has(sub.host.name)) continue;
    lines.push(...viewOfZone(view, sub), ...viewOfHosts(view, sub));
    for (const name of SITES.map(hostOf)) {
      const answer = await sub.running?.serving?.request(request('/', name));
      lines.push(`${sub.host.name} ${name} ${answer?.status} ${headersOf(answer, of)}`);
    }
    lines.push(...viewOfCertificates(view, sub));
  }
  return lines.join('\n');
}

/** When dom switched to a release is of the past. */
function headersOf(answer: HttpAnswer | undefined, of: View['of']): string {
  const kept = answer?.headers.filter(([name]) => of === 'everything' || name !== 'last-modified');
  return JSON.stringify(kept);
}

function viewOfHosts({ cluster, nowMs, of }: View, nameserver: Sub): readonly string[] {
  return SITES.map(hostOf).flatMap((name) =>
    CLIENTS.map((client) => {
      const reply = ask(cluster, { nameserver, client, nowMs, name });
      return `${nameserver.host.name} ${name} ${client} ${textOf(reply, of)}`;
    }),
  );
}

function viewOfZone({ cluster, nowMs, of }: View, nameserver: Sub): readonly string[] {
  const [client = ''] = CLIENTS;
  return [ORIGIN, SIDE_ORIGIN].flatMap((name) =>
    [TYPE_SOA, TYPE_NS, TYPE_TXT, TYPE_A].map((type) => {
      const reply = ask(cluster, { nameserver, client, nowMs, name, type });
      return `${nameserver.host.name} ${name} type ${type} ${textOf(reply, of)}`;
    }),
  );
}

function textOf(reply: ReturnType<typeof ask>, of: View['of']): string {
  if (reply === undefined || reply === 'down') return reply ?? 'nothing';
  const { rcode, serial, answer, additional } = reply;
  const records = [...answer, ...additional]
    .filter(({ type }) => of === 'everything' || type !== TYPE_SOA)
    .map(({ name, ttlS, text }) => `${name} ${ttlS} ${text}`);
  const version = of === 'everything' ? ` of serial ${serial}` : '';
  return `rcode ${rcode}${version}: ${records.join(', ')}`;
}

function viewOfCertificates({ cluster, of }: View, { host, running }: Sub): readonly string[] {
  const { snapshot, report } = running?.inEffect ?? {};
  return (report?.sites ?? []).flatMap(({ certificate }, index) => {
    const site = snapshot?.edge.sites[index]?.name ?? '';
    if (of === 'wished' && !cluster.wish.sites.has(site)) return [];
    const inUse = snapshot?.edge.certificates.find((each) => each.fingerprint === certificate);
    const names = inUse === undefined ? [] : parseFakeCertificate(inUse.chainPem).names;
    const which = of === 'everything' ? ` ${certificate}` : '';
    return `${host.name} ${site} has a certificate${which} for ${names.join(' ') || 'nothing'}`;
  });
}
