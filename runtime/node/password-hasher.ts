import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '../random.ts';
import {
  formatScryptHash,
  HASH_BYTES,
  type PasswordHasher,
  parseScryptHash,
  SALT_BYTES,
  SCRYPT,
  type ScryptHash,
} from '../secret/password-hash.ts';
import { takeSlots } from '../slots.ts';

/** Hashes by scrypt (RFC 7914) on another thread, one at a time: the others read the disk. */
export function nodePasswordHasher(random: Random): PasswordHasher {
  const inSlot = takeSlots(1);
  return {
    async hash(password) {
      const salt = random.bytes(SALT_BYTES);
      const hash = await inSlot(() => derive(password, { ...SCRYPT, salt }));
      return formatScryptHash({ ...SCRYPT, salt, hash });
    },
    async verify(password, text) {
      const known = parseScryptHash(text);
      if (known === undefined) return false;
      const hash = await inSlot(() => derive(password, known));
      return timingSafeEqual(hash, known.hash);
    },
  };
}

const derived = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

function derive(
  password: string,
  { log2N, r, p, salt }: Omit<ScryptHash, 'hash'>,
): Promise<Buffer> {
  const cost = { cost: 2 ** log2N, blockSize: r, parallelization: p };
  // It needs 128 N r bytes, and a little more for p.
  const maxmem = 128 * r * (2 ** log2N + p + 8);
  return derived(password.normalize('NFC'), salt, HASH_BYTES, { ...cost, maxmem });
}
