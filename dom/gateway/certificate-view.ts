import type { Certificate } from '../../api/certificate.ts';
import type { CertificatePlan, PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { OpenKey, ViewEntry } from './view-entry.ts';

/** Undefined: it has not been issued yet. */
export function certificateEntry(
  world: World,
  { metadata: { uid, name, namespace = '' } }: Certificate,
  openKey: OpenKey,
): ViewEntry | undefined {
  const material = world.record('material', uid);
  if (material === undefined) return undefined;
  const key = `certificate/${namespace}/${name}`;
  const make = (): PlanObject => {
    const value = certificatePlan({ uid, namespace, name }, material.value, openKey);
    return { key, object: { $case: 'certificate', value } };
  };
  return { key, version: `${uid}@${material.modRevision}`, make };
}

function certificatePlan(
  certificate: { readonly uid: string; readonly namespace: string; readonly name: string },
  material: MaterialRecord,
  openKey: OpenKey,
): CertificatePlan {
  return {
    ...certificate,
    names: material.names,
    chainPem: material.chainPem,
    keyPem: openKey(material, certificate.uid),
    notAfterMs: BigInt(material.notAfterMs),
    fingerprint: material.fingerprint,
  };
}
