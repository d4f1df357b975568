import { type Notification, wayOf } from '../../api/notification.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { printable } from '../../runtime/printable.ts';
import { createSecrets } from '../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import type { ReadSecret } from './deliver.ts';

const ERROR_CHARACTERS_MAX = 300;

export interface NamedSecret {
  readonly version: string;
  readonly read: ReadSecret;
  values(): readonly string[];
  problem(): string | undefined;
}

/** The Secret that its way to tell names. */
export function secretOf(
  ports: { readonly world: World; readonly sealer: Sealer },
  { metadata, spec }: Notification,
): NamedSecret {
  const way = wayOf(spec);
  const ref = way === undefined ? undefined : spec[way]?.secretRef;
  if (ref === undefined)
    return { version: '', read: () => undefined, values: () => [], problem: () => undefined };
  const { namespace = '' } = metadata;
  const name = qualifiedName({ namespace, name: ref });
  const found = ports.world.get('Secret', { namespace, name: ref });
  const read = (key: string): string | undefined => createSecrets(ports).read(name, key);
  const values = (): readonly string[] =>
    Object.keys(found?.spec.data ?? {}).flatMap((key) => read(key) ?? []);
  return {
    ...{ version: found?.metadata.resourceVersion ?? '', read, values },
    problem() {
      if (found === undefined) return `Secret ${name} is not there`;
      if (way === 'slack' && found.spec.data['url'] === undefined)
        return `Secret ${name} has no "url"`;
      try {
        values();
        return undefined;
      } catch (error) {
        return describeError(error);
      }
    },
  };
}

/** What a server says may repeat what it was sent. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const clean = secrets
    .filter((secret) => secret.length > 2)
    .reduce((left, secret) => left.replaceAll(secret, '(sealed)'), text);
  return printable(clean).slice(0, ERROR_CHARACTERS_MAX);
}
