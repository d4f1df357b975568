/** What secondaries sign with (RFC 8945 §6); SHA-1 and MD5 are left to history. */
export const TRANSFER_KEY_ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;

export type TransferKeyAlgorithm = (typeof TRANSFER_KEY_ALGORITHMS)[number];

/** What the secret of a transfer key is sealed for (see Sealer). */
export function transferKeyContext(name: string): string {
  return `transfer-key/${name}`;
}
