import { createDecipheriv } from 'node:crypto';

/** What SOPS writes in place of a value (its README, under "Encryption Protocol"). */
export interface SealedValue {
  readonly data: Buffer;
  readonly iv: Buffer;
  readonly tag: Buffer;
  /** What it was: `str`, `int`, `float`, `bool`, `bytes`, `comment`. */
  readonly type: string;
}

export const SEALED_BEGIN = 'ENC[AES256_GCM,';

const FORM =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z0-9]+)\]$/;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

export function parseSealedValue(text: string): SealedValue | undefined {
  const match = text.startsWith(SEALED_BEGIN) ? FORM.exec(text) : null;
  if (match === null) return undefined;
  const [data, iv, tag] = [match[1], match[2], match[3]].map((part = '') =>
    Buffer.from(part, 'base64'),
  );
  // A shorter tag could be guessed.
  if (!data || !iv || tag?.length !== TAG_BYTES || iv.length < 12 || iv.length > 64)
    return undefined;
  return { data, iv, tag, type: match[4] ?? '' };
}

/** `about`: what it was sealed for. Undefined: with another key, for something else, or changed. */
export function openValue(
  { data, iv, tag }: SealedValue,
  key: Uint8Array,
  about: string,
): Buffer | undefined {
  if (key.length !== KEY_BYTES) return undefined;
  try {
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key, iv, options);
    decipher.setAAD(Buffer.from(about)).setAuthTag(tag);
    return Buffer.concat([decipher.update(data), decipher.final()]);
  } catch {
    return undefined;
  }
}
