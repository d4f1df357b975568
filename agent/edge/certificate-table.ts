import type { EdgeCertificate, EdgeSnapshot } from './snapshot.ts';

/**
 * Which certificate each host of the snapshot is served with; undefined: none covers it. Only
 * hosts of sites are in the table: a wildcard certificate does not make a node answer for names
 * that it has no site for.
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
  for (const site of snapshot.sites) {
    const preferred = byFingerprint.get(site.certificate ?? '');
    for (const host of site.hosts) {
      if (chosen.has(host)) continue;
      const wildcard = wildcardOf(host);
      const covers = preferred?.names.some((name) => name === host || name === wildcard) ?? false;
      chosen.set(host, covers ? preferred : (byName.get(host) ?? byName.get(wildcard)));
    }
  }
  return chosen;
}

/** The wildcard that would cover a host: exactly its first label (RFC 9525 §6.3). */
function wildcardOf(host: string): string {
  return `*${host.slice(host.indexOf('.'))}`;
}
