import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { CertificateAuthority, Sealer } from '../../runtime/authority.ts';
import type { MaterialRecord } from '../../runtime/records.ts';

export interface IssueRequest {
  readonly certificate: Certificate;
  readonly issuer: Issuer;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/** Has a certificate signed and its key sealed, bound to the Certificate's uid. Throws as the authority does. */
export async function issueMaterial(
  authority: CertificateAuthority,
  sealer: Sealer,
  { certificate, issuer, lifetimeMs, nowMs }: IssueRequest,
): Promise<MaterialRecord> {
  const { names, keyType } = certificate.spec;
  const leftMs = authorityEndMs(authority.caPem) - nowMs;
  if (leftMs <= 0) throw new Error('the certificate of the built-in CA has expired');
  const issued = await authority.issueServer({
    names,
    keyType,
    // What outlives its CA is refused by clients from the CA's end on.
    lifetimeMs: Math.min(lifetimeMs, leftMs),
  });
  return {
    chainPem: issued.chainPem,
    sealedKey: sealer.seal(issued.keyPem, certificate.metadata.uid),
    names,
    keyType,
    issuerUid: issuer.metadata.uid,
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
    fingerprint: issued.fingerprint,
    serialNumber: issued.serialNumber,
  };
}

/** Infinity for an authority without a certificate of its own, as the simulated one is. */
function authorityEndMs(caPem: string): number {
  return caPem === '' ? Infinity : new X509Certificate(caPem).validToDate.getTime();
}
