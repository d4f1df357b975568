/**
 * What tells whether a password is right and nothing else of it: `scrypt$14$8$5$<salt>$<hash>`, with
 * log2 N, r and p of RFC 7914, salt and hash in base64url. Another kind of hash begins otherwise.
 */
export interface PasswordHasher {
  /**
   * A hash of a password with a new salt.
   * Guarantees: `verify` finds it right for this password and for no other.
   */
  hash(password: string): Promise<string>;
  /** Takes as long for a wrong password as for the right one. A hash of another kind: false. */
  verify(password: string, hash: string): Promise<boolean>;
}

/** Of one password, in UTF-8: longer ones are not looked at. */
export const PASSWORD_BYTES_MAX = 512;

export interface ScryptHash {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** What OWASP's cheat sheet on storing passwords asks for, of its choices the least memory. */
export const SCRYPT: Pick<ScryptHash, 'log2N' | 'r' | 'p'> = { log2N: 14, r: 8, p: 5 };
export const SALT_BYTES = 16;
export const HASH_BYTES = 32;

/** What a hash may make a node spend: 128 MiB, and eight times the work of `SCRYPT`. */
const LOG2_N_MAX = 17;
const R_MAX = 8;
const P_MAX = 16;

export function formatScryptHash({ log2N, r, p, salt, hash }: ScryptHash): string {
  const text = [salt, hash].map((bytes) => Buffer.from(bytes).toString('base64url'));
  return ['scrypt', log2N, r, p, ...text].join('$');
}

/** Undefined: it is of another kind, or asks for too much. */
export function parseScryptHash(text: string): ScryptHash | undefined {
  const match =
    /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/u.exec(text) ?? undefined;
  if (match === undefined) return undefined;
  const [log2N = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  if (log2N < 1 || r < 1 || p < 1) return undefined;
  if (log2N > LOG2_N_MAX || r > R_MAX || p > P_MAX) return undefined;
  const [salt, hash] = match.slice(4).map((each) => Buffer.from(each, 'base64url'));
  return salt === undefined || hash === undefined ? undefined : { log2N, r, p, salt, hash };
}
