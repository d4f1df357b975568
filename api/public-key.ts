/** A public key that signatures are verified with, as people hand it around. */
export type PublicKey =
  /** `type` as ssh calls it, `blob` in base64 (RFC 4253 §6.6). */
  | { readonly kind: 'ssh'; readonly type: string; readonly blob: string }
  /** ASCII-armored (RFC 9580 §6.2). */
  | { readonly kind: 'openpgp'; readonly armor: string };

/** The types of ssh keys that can be verified. */
export const SSH_KEY_TYPES: readonly string[] = [
  ...['ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ssh-rsa'],
  ...['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

const PGP_BEGIN = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const PGP_END = '-----END PGP PUBLIC KEY BLOCK-----';

/** Reads a line of a `.pub` file of ssh, or what `gpg --armor --export` prints. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith(PGP_BEGIN))
    return trimmed.endsWith(PGP_END) ? { kind: 'openpgp', armor: `${trimmed}\n` } : undefined;
  if (/[\r\n]/.test(trimmed)) return undefined;
  const [type = '', blob = ''] = trimmed.split(/[ \t]+/);
  if (!SSH_KEY_TYPES.includes(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return undefined;
  // The blob says its type, too.
  const bytes = Buffer.from(blob, 'base64');
  const head = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type, 'latin1')]);
  return bytes.subarray(0, head.length).equals(head) ? { kind: 'ssh', type, blob } : undefined;
}

/** For a field that holds one. */
export function publicKeyProblem(text: string): string | undefined {
  if (/PRIVATE KEY/.test(text)) return 'is a private key: change it, and write the public one here';
  if (parsePublicKey(text) !== undefined) return undefined;
  return 'must be a line of a .pub file (ssh-ed25519 AAAA…), or what gpg --armor --export prints';
}
