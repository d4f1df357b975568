import { type SignedObject, type SignedRead } from './signed.ts';
import { type Signer, sshFingerprint } from './signer.ts';
import { isSshSignatureOf, parseSshSignature } from './ssh-signature.ts';

/** Who signed, or why that does not count. */
export type Verification =
  /** `ada (SHA256:…)` */
  | { readonly kind: 'signed'; readonly by: string }
  /** For a person: what, who signed it as far as is known, and the mend. */
  | { readonly kind: 'refused'; readonly message: string };

/** What OpenPGP says of a signature. `key`: its fingerprint, or its id; empty: it names none. */
export type PgpVerdict =
  /** `indexes`: by which of the keys; one key may be listed several times. */
  | { readonly kind: 'good'; readonly key: string; readonly indexes: readonly number[] }
  | { readonly kind: PgpFault; readonly key: string };

/**
 * `unknown`: made by none of the keys. `unusable`: several signatures, or of a kind that proves
 * nothing any more.
 */
export type PgpFault = 'bad' | 'unknown' | 'expired' | 'revoked' | 'unusable';

/** Judges a signature with these armored keys, and no others. */
export type OpenPgp = (call: {
  readonly payload: Uint8Array;
  readonly signature: string;
  readonly keys: readonly string[];
}) => Promise<PgpVerdict>;

/** Whether one of the signers has signed it. Never throws for what an object holds. */
export async function verifySigned(
  read: SignedRead,
  signers: readonly Signer[],
  openPgp: OpenPgp,
): Promise<Verification> {
  if (read.kind === 'problem') return refused(`${read.problem}; ${SEE}`);
  const { signed } = read;
  const { what, signature } = signed;
  if (signature === undefined)
    return refused(`${what} is not signed; sign it (git commit -S, git tag -s) and push again`);
  if (signature.startsWith('-----BEGIN SSH SIGNATURE-----'))
    return bySsh(signed, signature, signers);
  if (signature.startsWith('-----BEGIN PGP SIGNATURE-----'))
    return await byOpenPgp(signed, { signature, signers, openPgp });
  return refused(`${what} is signed in a way that is not verified; use ssh or OpenPGP keys`);
}

const SEE = 'see who pushed it';
const LIST = 'if it may sign, add it to spec.verify';

function bySsh(signed: SignedObject, armor: string, signers: readonly Signer[]): Verification {
  const { what, payload } = signed;
  const signature = parseSshSignature(armor);
  if (signature === undefined) return refused(`the signature of ${what} is not readable; ${SEE}`);
  const fingerprint = sshFingerprint(signature.key);
  const blob = signature.key.toString('base64');
  const theirs = signers.filter(({ key }) => key.kind === 'ssh' && isSameBlob(key.blob, blob));
  if (theirs.length === 0) return refused(unlisted(what, fingerprint));
  if (signature.namespace !== 'git')
    return refused(`the signature of ${what} by ${fingerprint} is not meant for Git; ${SEE}`);
  if (!isSshSignatureOf(signature, payload)) return refused(badText(what, theirs, fingerprint));
  return timely(signed, theirs, fingerprint);
}

function isSameBlob(one: string, other: string): boolean {
  return one.replace(/=+$/, '') === other.replace(/=+$/, '');
}

async function byOpenPgp(
  signed: SignedObject,
  by: {
    readonly signature: string;
    readonly signers: readonly Signer[];
    readonly openPgp: OpenPgp;
  },
): Promise<Verification> {
  const { what, payload } = signed;
  const theirs = by.signers.flatMap((signer) =>
    signer.key.kind === 'openpgp' ? [{ signer, armor: signer.key.armor }] : [],
  );
  const keys = theirs.map(({ armor }) => armor);
  if (keys.length === 0)
    return refused(`${what} is signed with OpenPGP, and no signer has such a key; ${LIST}`);
  const verdict = await by.openPgp({ payload, signature: by.signature, keys });
  if (verdict.kind === 'good') {
    const owners = verdict.indexes.flatMap((index) => theirs[index]?.signer ?? []);
    return timely(signed, owners, verdict.key);
  }
  const { kind, key } = verdict;
  if (kind === 'unknown') return refused(unlisted(what, key));
  if (kind === 'bad') return refused(badText(what, [], key));
  if (key === '') return refused(`the signature of ${what} is not readable; ${SEE}`);
  if (kind === 'unusable')
    return refused(`the signature of ${what} by ${key} proves nothing; sign it anew, and once`);
  return refused(`${what} is signed with ${key}, which is ${kind}; sign it with a key in force`);
}

/** Of several entries for one key, one that fits is enough, unless the key was revoked. */
function timely(
  { what, atMs }: SignedObject,
  theirs: readonly Signer[],
  key: string,
): Verification {
  const revoked = theirs.find(({ isRevoked }) => isRevoked);
  if (revoked !== undefined)
    return refused(
      `${what} is signed by ${revoked.name} with ${key}, which is revoked; sign it with a key in force, and ${SEE}`,
    );
  const fitting = theirs.find(
    ({ fromMs = -Infinity, untilMs = Infinity }) => fromMs <= atMs && atMs < untilMs,
  );
  if (fitting !== undefined) return { kind: 'signed', by: `${fitting.name} (${key})` };
  const [first] = theirs;
  if (first === undefined) return refused(unlisted(what, key));
  const { name, fromMs = -Infinity } = first;
  const word = atMs < fromMs ? 'not yet valid' : 'expired';
  const message = `${what} is signed by ${name} with ${key}, which was ${word} at ${shownTime(atMs)}`;
  return refused(`${message}; sign it with a key in force`);
}

function shownTime(ms: number): string {
  return new Date(ms).toISOString();
}

function unlisted(what: string, key: string): string {
  return `${what} is signed with the key ${key}, which is of none of the signers; ${LIST}, else ${SEE}`;
}

function badText(what: string, theirs: readonly Signer[], key: string): string {
  const who = theirs[0] === undefined ? key : `${theirs[0].name} (${key})`;
  return `${what} is not what ${who} has signed: it was changed after; ${SEE}`;
}

function refused(message: string): Verification {
  return { kind: 'refused', message };
}
