import { splitName } from '../store/keys.ts';
import type { World } from '../store/world.ts';
import type { Sealer } from '../tls/authority.ts';

/** What a value of a Secret is sealed for (see Sealer); by name, as others refer to it. */
export function secretContext(secret: {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}): string {
  return `secret/${secret.namespace}/${secret.name}/${secret.key}`;
}

/** Reads values of Secrets. */
export interface Secrets {
  /**
   * The value under `key` of the Secret `namespace/name`; undefined: there is none. It goes where
   * it is needed and nowhere else: no log, no status, no event.
   */
  read(qualifiedName: string, key: string): string | undefined;
}

/** A value is there, and nobody can open it any more; the message says which, and the mend. */
export class SecretLostError extends Error {
  override readonly name = 'SecretLostError';
}

/** Throws `SecretLostError` when a value was sealed with another key. */
export function createSecrets(ports: {
  readonly world: Pick<World, 'get'>;
  readonly sealer: Sealer;
}): Secrets {
  const { world, sealer } = ports;
  return {
    read(qualifiedName, key) {
      const { namespace, name } = splitName(qualifiedName);
      const secret = world.get('Secret', { namespace, name });
      const sealed = secret?.spec.data[key];
      if (sealed === undefined) return undefined;
      try {
        return sealer.open(sealed, secretContext({ namespace, name, key }));
      } catch (cause) {
        const message = `Secret "${qualifiedName}": ${key} was sealed with another seal key and cannot be read: write the value again, or start dom with the seal.key from before`;
        throw new SecretLostError(message, { cause });
      }
    },
  };
}
