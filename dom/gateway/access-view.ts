import type { Site } from '../../api/site.ts';
import type { AuthPlan } from '../../proto/gen/b8s/v1/plan.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { World } from '../../runtime/store/world.ts';

/**
 * Whom a Site asks for a password, and what nodes know them by. Without users it is closed: their
 * hashes are not there yet, or cannot be made. Undefined: nobody is asked.
 */
export function accessOf(
  world: World,
  { metadata, spec }: Site,
): { readonly plan: AuthPlan; readonly version: string } | undefined {
  if (spec.auth === undefined) return undefined;
  const { secret, realm, paths } = spec.auth;
  const stored = world.record('access', qualifiedName(metadata));
  const isOwn = stored?.value.siteUid === metadata.uid && stored.value.secret === secret;
  const users = isOwn ? stored.value.users.map(({ name, hash }) => ({ name, hash })) : [];
  const version = isOwn ? String(stored.modRevision) : '';
  return { plan: { realm, paths, users }, version };
}
