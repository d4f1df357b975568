import type { CertificatePlan, NodePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { type NameserverZone, nameserverNames } from '../../runtime/dns/nameserver-names.ts';
import { PackedZone } from '../../runtime/dns/packed-zone.ts';
import { coversHost } from '../../runtime/tls/certificate-names.ts';

/** The certificate that a nameserver shows for one of its names (RFC 7858 §3.1, RFC 8310 §8). */
export interface HostIdentity {
  /** Lower case, without a final dot. */
  readonly host: string;
  readonly fingerprint: string;
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** PEM. */
  readonly keyPem: string;
}

/** For each name of the node that a certificate of the plan covers, the one that ends last. */
export function hostIdentities(
  plan: {
    readonly zones: readonly ZonePlan[];
    readonly certificates: ReadonlyMap<string, CertificatePlan>;
  },
  node: NodePlan | undefined,
): readonly HostIdentity[] {
  if (node === undefined || plan.certificates.size === 0) return [];
  const byEnd = [...plan.certificates.values()].toSorted(endsLater);
  return nameserverNames(plan.zones.map(nameserversOf), node).flatMap((host): HostIdentity[] => {
    const found = byEnd.find(({ names }) => names.some((name) => coversHost(name, host)));
    if (found === undefined) return [];
    const { fingerprint, chainPem, keyPem } = found;
    return [{ host, fingerprint, chainPem, keyPem }];
  });
}

/** All that counts here, where the records of a zone are many. One that is no zone names nobody. */
function nameserversOf(zone: ZonePlan): NameserverZone {
  if (!(zone instanceof PackedZone)) return zone;
  try {
    return { origin: zone.origin, records: zone.nameservers };
  } catch {
    return { origin: zone.origin, records: [] };
  }
}

function endsLater(one: CertificatePlan, other: CertificatePlan): number {
  if (one.notAfterMs !== other.notAfterMs) return one.notAfterMs > other.notAfterMs ? -1 : 1;
  return one.fingerprint < other.fingerprint ? -1 : 1;
}
