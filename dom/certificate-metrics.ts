import type { Certificate } from '../api/certificate.ts';
import { condition } from '../api/object.ts';
import type { Labels, Metrics, Reading } from '../runtime/metrics.ts';
import type { World } from '../runtime/store/world.ts';

const LABELS = ['namespace', 'name', 'issuer'] as const;

/** What each gauge says of a certificate; undefined: nothing. */
const GAUGES: Readonly<Record<string, (of: Subject) => number | undefined>> = {
  b8s_certificate_ready: ({ certificate }) =>
    condition(certificate, 'Ready')?.status === 'True' ? 1 : 0,
  b8s_certificate_expiry_timestamp_seconds: ({ certificate }) =>
    secondsOf(certificate.status?.notAfter),
  b8s_certificate_renewal_timestamp_seconds: ({ certificate }) =>
    secondsOf(certificate.status?.renewalTime),
  b8s_certificate_issued_timestamp_seconds: ({ certificate, world }) => {
    const material = world.record('material', certificate.metadata.uid)?.value;
    return material === undefined ? undefined : material.issuedMs / 1000;
  },
  b8s_certificate_failures: ({ certificate, world }) =>
    world.record('issuance', certificate.metadata.uid)?.value.failures ?? 0,
};

interface Subject {
  readonly certificate: Certificate;
  readonly world: World;
}

/** Shows how certificates are doing. `world`: undefined while this dom does not lead. */
export function showCertificates(metrics: Metrics, world: () => World | undefined): void {
  for (const [name, valueOf] of Object.entries(GAUGES))
    metrics.collect(name, LABELS, () => readings(world(), valueOf));
}

/** Those that end first come first: of too many series the last ones are left out. */
function readings(
  world: World | undefined,
  valueOf: (of: Subject) => number | undefined,
): readonly Reading[] {
  if (world === undefined) return [];
  return world
    .list('Certificate')
    .toSorted((a, b) => endsMs(a) - endsMs(b))
    .flatMap((certificate) => {
      const value = valueOf({ certificate, world });
      return value === undefined ? [] : [{ labels: labelsOf(certificate), value }];
    });
}

/** One that was brought has no Issuer. */
function labelsOf({ metadata, spec }: Certificate): Labels {
  const issuer = spec.secret === undefined ? spec.issuer : '';
  return { namespace: metadata.namespace ?? '', name: metadata.name, issuer };
}

function endsMs({ status }: Certificate): number {
  return status?.notAfter === undefined ? 0 : Date.parse(status.notAfter);
}

function secondsOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time) / 1000;
}
