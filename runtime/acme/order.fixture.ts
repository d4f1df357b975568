import type { AcmeAuthorizationRecord, AcmeOrderRecord, ProofRecord } from './records.ts';

/** For tests: an order whose proofs are up, one for each name. */
export function testOrder(
  authorizations: readonly Partial<AcmeAuthorizationRecord>[],
  certificate = 'blog',
): AcmeOrderRecord {
  return {
    certificate: { namespace: 'default', name: certificate },
    issuerUid: 'uid-issuer',
    accountUrl: 'https://ca.test/account/1',
    names: authorizations.map(({ name = '' }) => name),
    keyType: 'ecdsa-p256',
    sealedKey: 'sealed',
    generation: 1,
    startedMs: 1,
    progressMs: 1,
    placings: 1,
    phase: 'validating',
    url: 'https://ca.test/order/1',
    authorizations: authorizations.map((each, index) => ({
      url: `https://ca.test/authorization/${index}`,
      name: '',
      wildcard: false,
      state: 'proposed',
      ...each,
    })),
  };
}

/** Of a name in the Zone `default/example`. */
export function dnsProof(recordName: string, recordValue: string): ProofRecord {
  const where = { type: 'dns-01', recordName, recordValue, zone: 'default/example' } as const;
  return { ...where, ...common(recordValue) };
}

export function httpProof(token: string): ProofRecord {
  return { type: 'http-01', keyAuthorization: `${token}.thumbprint`, ...common(token) };
}

/** `digest`: 64 hex digits. */
export function alpnProof(token: string, digest = 'ab'.repeat(32)): ProofRecord {
  return { type: 'tls-alpn-01', digest, ...common(token) };
}

function common(token: string): { readonly url: string; token: string; sinceMs: number } {
  return { url: `https://ca.test/challenge/${token}`, token, sinceMs: 1 };
}
