import type { Disk } from '../../runtime/disk/disk.ts';
import type { Random } from '../../runtime/random.ts';
import { SEAL_KEY_BYTES } from './sealer.ts';

/** In dom's state folder; the disk makes files that only their owner can read. */
export const SEAL_KEY_PATH = 'seal.key';

/**
 * The key that seals secrets, as base64 in a file; made at the first start. Doms that share a store
 * need the same file.
 *
 * Errors: a file that is there but holds no key throws: a new key would open none of the secrets.
 */
export async function loadSealKey(ports: {
  readonly disk: Disk;
  readonly random: Random;
}): Promise<Uint8Array> {
  const { disk, random } = ports;
  const bytes = await disk.read(SEAL_KEY_PATH);
  if (bytes !== undefined) return parseSealKey(Buffer.from(bytes).toString('utf8'));
  const key = random.bytes(SEAL_KEY_BYTES);
  await disk.write(SEAL_KEY_PATH, Buffer.from(`${Buffer.from(key).toString('base64')}\n`));
  return key;
}

function parseSealKey(text: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === SEAL_KEY_BYTES) return key;
  throw new Error(
    `read ${SEAL_KEY_PATH}: holds no key of ${SEAL_KEY_BYTES} bytes in base64; bring it back from a backup`,
  );
}
