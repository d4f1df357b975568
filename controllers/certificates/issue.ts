import type { Certificate } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { CertificateAuthority, Sealer } from '../../runtime/tls/authority.ts';
import { requestsOf } from '../../runtime/tls/renewal.ts';

export interface IssueRequest {
  readonly certificate: Certificate;
  readonly issuer: Issuer;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/**
 * Has a certificate signed and its key sealed, bound to the Certificate's uid. Throws as the
 * authority does.
 */
export async function issueMaterial(
  authority: CertificateAuthority,
  sealer: Sealer,
  { certificate, issuer, lifetimeMs, nowMs }: IssueRequest,
): Promise<MaterialRecord> {
  const { names, keyType } = certificate.spec;
  const { renew } = requestsOf(certificate);
  const issued = await authority.issueServer({ names, keyType, lifetimeMs });
  return {
    chainPem: issued.chainPem,
    sealedKey: sealer.seal(issued.keyPem, certificate.metadata.uid),
    names,
    keyType,
    issuerUid: issuer.metadata.uid,
    issuedMs: nowMs,
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
    fingerprint: issued.fingerprint,
    serialNumber: issued.serialNumber,
    ...(renew === undefined ? {} : { renewRequest: renew }),
  };
}
