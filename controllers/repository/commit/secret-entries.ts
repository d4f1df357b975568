import type { Repository } from '../../../api/repository.ts';
import type { Secrets } from '../../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../../runtime/store/keys.ts';
import type { World } from '../../../runtime/store/world.ts';

interface SecretPorts {
  readonly secrets: Secrets;
  readonly world: World;
}

type Found =
  | {
      /** For messages. */
      readonly name: string;
      readonly version: string;
      /** In the order of their names. */
      readonly entries: readonly (readonly [entry: string, text: string])[];
    }
  | { readonly reason: 'SecretMissing'; readonly message: string };

/** All values of a Secret of a Repository's namespace. */
export function secretEntries(
  { metadata }: Repository,
  secretRef: string,
  { secrets, world }: SecretPorts,
): Found {
  const { namespace = '' } = metadata;
  const name = qualifiedName({ namespace, name: secretRef });
  const secret = world.get('Secret', { namespace, name: secretRef });
  if (secret === undefined)
    return { reason: 'SecretMissing', message: `Secret ${name} is not there` };
  const entries = Object.keys(secret.spec.data)
    .toSorted()
    .flatMap((entry) => {
      const text = secrets.read(name, entry);
      return text === undefined ? [] : [[entry, text] as const];
    });
  return { name, version: secret.metadata.resourceVersion, entries };
}

/** The Secrets, by name, whose change is one of the Repository. */
export function secretsOf(spec: Repository['spec']): readonly string[] {
  const { secretRef, webhook, verify, decryption } = spec;
  const named = [secretRef, webhook?.secretRef, verify?.secretRef, decryption?.secretRef];
  return named.filter((name) => name !== undefined);
}
