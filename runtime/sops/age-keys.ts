import { armor, Decrypter, identityToRecipient } from 'age-encryption';

/** Private keys of age, by what is encrypted for them. */
export interface AgeKeys {
  /** For messages: where they are from. */
  readonly from: string;
  has(recipient: string): boolean;
  /** What was encrypted for that recipient; undefined: it was not, or was changed. */
  open(recipient: string, armored: string): Promise<Uint8Array | undefined>;
}

/** Of one Secret. */
const KEYS_MAX = 50;

/**
 * Reads keys as `age-keygen` writes them: a line each, `#` begins a remark. A text says what is wrong,
 * without the key.
 */
export async function parseAgeKeys(
  texts: readonly string[],
  from: string,
): Promise<AgeKeys | string> {
  const lines = texts
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) return `${from} holds no key of age: write what age-keygen prints`;
  if (lines.length > KEYS_MAX) return `${from} holds more than ${KEYS_MAX} keys`;
  const keys = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const recipient = await identityToRecipient(line).catch(() => undefined);
    if (recipient === undefined)
      return `${from}: what is written in place of key ${index + 1} is none of age (AGE-SECRET-KEY-1…)`;
    keys.set(recipient, line);
  }
  return {
    from,
    has: (recipient) => keys.has(recipient),
    async open(recipient, armored) {
      const identity = keys.get(recipient);
      if (identity === undefined) return undefined;
      try {
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        return await decrypter.decrypt(armor.decode(armored));
      } catch {
        return undefined;
      }
    },
  };
}
