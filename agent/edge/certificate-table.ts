import { suffixOfPreview } from '../../api/previews.ts';
import { PEER_SERVER_NAME } from '../../runtime/content/peer-url.ts';
import type { EdgeCertificate, EdgeSnapshot } from './snapshot.ts';

/**
 * Which certificate each host of the snapshot is served with; undefined: none covers it. Only
 * hosts of sites are in the table: a wildcard certificate does not make a node answer for names
 * that it has no site for. Of previews there is also what their hosts end in, for those that are
 * not kept any more: who comes for one is told so.
 */
export function chooseCertificates(
  snapshot: EdgeSnapshot,
): ReadonlyMap<string, EdgeCertificate | undefined> {
  const byFingerprint = new Map(snapshot.certificates.map((each) => [each.fingerprint, each]));
  const byName = new Map<string, EdgeCertificate>();
  for (const certificate of snapshot.certificates) {
    for (const name of certificate.names) if (!byName.has(name)) byName.set(name, certificate);
  }
  const chosen = new Map<string, EdgeCertificate | undefined>();
  // No site can have this name: other nodes would fail to fetch.
  if (snapshot.peering !== undefined) chosen.set(PEER_SERVER_NAME, snapshot.peering.certificate);
  const choose = (
    hosts: readonly string[],
    ...preferred: readonly (string | undefined)[]
  ): void => {
    for (const host of hosts) {
      if (chosen.has(host)) continue;
      const wildcard = wildcardOf(host);
      const covering = preferred
        .map((fingerprint) => byFingerprint.get(fingerprint ?? ''))
        .find((each) => each?.names.some((name) => name === host || name === wildcard));
      chosen.set(host, covering ?? byName.get(host) ?? byName.get(wildcard));
    }
  };
  for (const { hosts, certificate } of snapshot.sites) choose(hosts, certificate);
  // A host of a site goes before a preview of that name.
  for (const { previews = [], certificate, previewCertificate } of snapshot.sites) {
    const hosts = previews.map(({ host }) => host);
    const suffixes = new Set(hosts.flatMap((host) => suffixOfPreview(host) ?? []));
    choose([...hosts, ...suffixes], certificate, previewCertificate);
  }
  return chosen;
}

/** The wildcard that would cover a host: exactly its first label (RFC 9525 §6.3). */
function wildcardOf(host: string): string {
  return `*${host.slice(host.indexOf('.'))}`;
}
