import { RequestError } from '../../runtime/request-error.ts';
import type { Identity } from '../../runtime/tls/authority.ts';

const PERMISSIONS = ['read', 'write'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** The name that history keeps of who asks. Throws unless this identity may do it. */
export function authorize(identity: Identity | undefined, permission: Permission): string {
  if (identity === undefined)
    throw new RequestError(
      'UNAUTHENTICATED',
      'no client certificate was shown: use a b8sctl config of this cluster',
    );
  if (identity.kind !== 'user')
    throw new RequestError(
      'PERMISSION_DENIED',
      `node ${identity.name} may not use this API: a node reads its plan and writes its own report`,
    );
  if (permission === 'write' && identity.role !== 'admin')
    throw new RequestError(
      'PERMISSION_DENIED',
      `user ${identity.name} has the role ${identity.role}: writing needs the role admin`,
    );
  return identity.name;
}

/** All that this identity may do. */
export function permissionsOf(identity: Identity | undefined): readonly Permission[] {
  return PERMISSIONS.filter((permission) => isAllowed(identity, permission));
}

/** What a person's permissions are called; empty: it is no person. */
export function roleOf(identity: Identity | undefined): string {
  return identity?.kind === 'user' ? identity.role : '';
}

function isAllowed(identity: Identity | undefined, permission: Permission): boolean {
  try {
    authorize(identity, permission);
    return true;
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}
