import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';

export const SEAL_KEY_BYTES = 32;

/**
 * Seals with AES-256-GCM (NIST SP 800-38D). A sealed text is `v1.` and base64url of
 * nonce (12 bytes), tag (16 bytes), ciphertext; the context is authenticated with it.
 *
 * Caveats: with random nonces one key is good for 2³² seals; a control plane makes a few a day.
 */
export function createSealer(ports: {
  /** SEAL_KEY_BYTES of them. */
  readonly key: Uint8Array;
  readonly random: Random;
}): Sealer {
  const { key, random } = ports;
  if (key.length !== SEAL_KEY_BYTES) {
    throw new Error(`make a sealer: the key has ${key.length} bytes instead of ${SEAL_KEY_BYTES}`);
  }
  return {
    seal(secret, context) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      cipher.setAAD(Buffer.from(context));
      const sealed = [cipher.update(secret, 'utf8'), cipher.final()];
      return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString('base64url');
    },
    open(sealed, context) {
      try {
        return open(sealed, context, key);
      } catch (cause) {
        // The context names the secret; the sealed text itself belongs in no log.
        throw new Error(`open what was sealed for ${context}: another key, or changed`, { cause });
      }
    },
  };
}

const CIPHER = 'aes-256-gcm';
const VERSION = 'v1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function open(sealed: string, context: string, key: Uint8Array): string {
  if (!sealed.startsWith(VERSION)) throw new Error('not a sealed text of version 1');
  const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  const ciphertext = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}
