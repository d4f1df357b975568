import type { CertificateAuthority, IssuedCertificate } from '../../runtime/tls/authority.ts';
import type { Secret } from '../check/check.ts';

/** The same authority, which tells of every private key that it gives out. */
export function overheardAuthority(
  authority: CertificateAuthority,
  onKey: (key: Secret) => void,
): CertificateAuthority {
  const overhear = (issued: IssuedCertificate, names: readonly string[]): IssuedCertificate => {
    onKey({ kind: 'key', pem: issued.keyPem, names });
    return issued;
  };
  return {
    ...authority,
    issueServer: async (request) => overhear(await authority.issueServer(request), request.names),
    issueClient: async (request) => overhear(await authority.issueClient(request), []),
  };
}
