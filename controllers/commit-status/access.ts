import type { Repository } from '../../api/repository.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { printable } from '../../runtime/printable.ts';
import { createSecrets } from '../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import type { HostAccess } from './host.ts';

const ERROR_CHARACTERS_MAX = 300;

/** A text: why there is none, for a person. */
export type Access = HostAccess | string;

/** How its host is told; `key`: of all that it depends on. */
export function accessOf(
  ports: { readonly world: World; readonly sealer: Sealer },
  { metadata, spec }: Repository,
): { readonly access: Access; readonly key: string } {
  const { namespace = '', generation } = metadata;
  const { commitStatus, url } = spec;
  const named = commitStatus?.secretRef ?? spec.secretRef ?? '';
  const name = qualifiedName({ namespace, name: named });
  const secret = ports.world.get('Secret', { namespace, name: named });
  const key = `${generation}/${secret?.metadata.resourceVersion ?? ''}`;
  const problem = (access: string): { readonly access: Access; readonly key: string } => {
    return { access, key };
  };
  if (commitStatus === undefined || secret === undefined)
    return problem(`Secret ${name} is not there`);
  try {
    const read = (value: string): string | undefined => createSecrets(ports).read(name, value);
    const token = read('token');
    if (token === undefined) return problem(`Secret ${name} has no "token"`);
    // A line break would begin another header.
    if (!/^[\x21-\x7e]+$/.test(token))
      return problem(`"token" of Secret ${name} has characters that no token has`);
    const context = commitStatus.context ?? `b8s/${qualifiedName(metadata)}`;
    return { access: { spec: commitStatus, url, context, token, caBundle: read('caBundle') }, key };
  } catch (error) {
    return problem(describeError(error));
  }
}

/** For a person, without the token. */
export function errorText(error: unknown, access: Access): string {
  const text = describeError(error);
  const clean = typeof access === 'string' ? text : text.replaceAll(access.token, '(sealed)');
  return printable(clean).slice(0, ERROR_CHARACTERS_MAX);
}
