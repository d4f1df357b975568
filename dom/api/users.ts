import type { CreateUserRequest, CreateUserResponse } from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { CertificateAuthority } from '../../runtime/tls/authority.ts';

const DAYS = 90;
const DAYS_MAX = 365;
const DAY_MS = 24 * 3600 * 1000;

/**
 * A certificate that says who its bearer is, with a new key that dom does not keep. It cannot be
 * taken back, so it ends by itself. Throws INVALID_ARGUMENT.
 */
export async function createUser(
  { authority }: { readonly authority: Pick<CertificateAuthority, 'issueClient'> },
  { name, role, days }: CreateUserRequest,
): Promise<CreateUserResponse> {
  if (!/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(name))
    throw refused(`"${name}" is no name: use 1 to 63 lower-case letters, digits, dots and dashes`);
  // History says "dom" of what nobody has asked for.
  if (name === 'dom') throw refused('"dom" is dom itself: take another name');
  if (role !== 'viewer' && role !== 'admin')
    throw refused(`there is no role "${role}": viewer may only look, admin may do all`);
  if (days > DAYS_MAX) throw refused(`${days} days are too long: at most ${DAYS_MAX}`);
  const identity = { kind: 'user', name, role } as const;
  const lifetimeMs = (days === 0 ? DAYS : days) * DAY_MS;
  const issued = await authority.issueClient({ identity, lifetimeMs });
  return {
    certificate: issued.chainPem,
    key: issued.keyPem,
    expiresMs: BigInt(issued.notAfterMs),
  };
}

function refused(message: string): RequestError {
  return new RequestError('INVALID_ARGUMENT', message);
}
