import type { Repository } from '../../../api/repository.ts';
import type { RepositoryReason } from '../../../api/repository-reasons.ts';
import type { Secrets } from '../../../runtime/secret/secrets.ts';
import { type AgeKeys, parseAgeKeys } from '../../../runtime/sops/age-keys.ts';
import type { World } from '../../../runtime/store/world.ts';
import { secretEntries } from './secret-entries.ts';

/** Private keys of age, as they are written, and where they are from. */
export interface Decryption {
  readonly from: string;
  readonly texts: readonly string[];
}

interface DecryptionPorts {
  readonly secrets: Secrets;
  readonly world: World;
}

type Found =
  | { readonly decryption: Decryption | undefined; readonly version: string }
  | { readonly reason: RepositoryReason; readonly message: string };

/** What `spec.decryption` names; `version` is another one when its Secret is. */
export function decryptionOf(repository: Repository, ports: DecryptionPorts): Found {
  const { decryption } = repository.spec;
  if (decryption === undefined) return { decryption: undefined, version: '' };
  const found = secretEntries(repository, decryption.secretRef, ports);
  if ('reason' in found) return found;
  const texts = found.entries.map(([, text]) => text);
  return { decryption: { from: `Secret ${found.name}`, texts }, version: found.version };
}

/** A text says why there are none. */
export async function ageKeys(decryption: Decryption | undefined): Promise<AgeKeys | string> {
  if (decryption !== undefined) return await parseAgeKeys(decryption.texts, decryption.from);
  return 'name a Secret with its key of age in spec.decryption of the Repository';
}
