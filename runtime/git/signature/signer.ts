import { createHash } from 'node:crypto';
import { type PublicKey, parsePublicKey, SSH_KEY_TYPES } from '../../../api/public-key.ts';
import { printable } from '../../printable.ts';

/** Who may sign, with which key, and when. */
export interface Signer {
  readonly name: string;
  readonly key: PublicKey;
  /** What was signed before is not taken. */
  readonly fromMs?: number;
  /** What was signed at that time or after it is not taken. */
  readonly untilMs?: number;
  /** Nothing that it signed is taken, whenever that was. */
  readonly isRevoked: boolean;
}

/** `problem` names the place and the mend. */
export type SignersRead =
  | { readonly kind: 'signers'; readonly signers: readonly Signer[] }
  | { readonly kind: 'problem'; readonly problem: string };

/** Of one text. */
const LINES_MAX = 1_000;

/**
 * The signers in an entry of a Secret: armored OpenPGP keys; or lines of ssh's `allowed_signers`
 * (ssh-keygen(1) under ALLOWED SIGNERS), or of a `.pub` file.
 */
export function parseSigners(text: string, entry: string): SignersRead {
  if (text.includes('-----BEGIN PGP')) return pgpSigners(text, entry);
  const lines = text.split(/\r?\n/);
  if (lines.length > LINES_MAX)
    return { kind: 'problem', problem: `${entry} has more than ${LINES_MAX} lines` };
  const signers: Signer[] = [];
  for (const [index, line] of lines.entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const read = lineSigner(line.trim(), entry);
    if (typeof read === 'string')
      return { kind: 'problem', problem: `${entry}, line ${index + 1}: ${read}` };
    if (read !== undefined) signers.push(read);
  }
  return { kind: 'signers', signers };
}

function pgpSigners(text: string, entry: string): SignersRead {
  const blocks =
    text.match(/-----BEGIN PGP [A-Z ]+-----[^]*?-----END PGP [A-Z ]+-----/g)?.map(parsePublicKey) ??
    [];
  if (blocks.length === 0 || blocks.length > LINES_MAX || blocks.includes(undefined)) {
    const problem = `${entry} holds no whole public key: write what gpg --armor --export prints`;
    return { kind: 'problem', problem };
  }
  const signers = blocks.flatMap((key) =>
    key === undefined ? [] : [{ name: entry, key, isRevoked: false }],
  );
  return { kind: 'signers', signers };
}

/** A text says what is wrong; undefined: the line is for other things than Git. */
function lineSigner(line: string, entry: string): Signer | string | undefined {
  const words = line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  const at = words.findIndex((word) => SSH_KEY_TYPES.includes(word));
  const key = at < 0 ? undefined : parsePublicKey(words.slice(at, at + 2).join(' '));
  if (key === undefined || at > 2) return 'has no public key of ssh that can be verified with';
  const comment = words.slice(at + 2).join(' ');
  if (at === 0) return { name: printable(comment === '' ? entry : comment), key, isRevoked: false };
  const [principals = '', options = ''] = at === 2 ? words : [words[0]];
  const name = printable(principals.replaceAll('"', ''));
  const limits = optionsOf(options);
  if (limits === undefined || typeof limits === 'string') return limits;
  return { name, key, isRevoked: false, ...limits };
}

function optionsOf(
  text: string,
): string | undefined | { readonly fromMs?: number; readonly untilMs?: number } {
  const limits: { fromMs?: number; untilMs?: number } = {};
  for (const option of text.match(/(?:"[^"]*"|[^,"])+/g) ?? []) {
    const [name = '', value = ''] = option.replaceAll('"', '').split('=');
    const lower = name.toLowerCase();
    if (lower === 'cert-authority') return 'names a CA of ssh; name the keys themselves';
    if (lower === 'namespaces') {
      if (!value.split(',').includes('git')) return undefined;
    } else if (lower === 'valid-after' || lower === 'valid-before') {
      const atMs = timeOf(value);
      if (atMs === undefined) return `"${printable(option)}" is no time, e.g. 20260131Z`;
      limits[lower === 'valid-after' ? 'fromMs' : 'untilMs'] = atMs;
    } else return `the option "${printable(name)}" is not known`;
  }
  return limits;
}

/** `YYYYMMDD[HHMM[SS]][Z]`; in UTC also without the Z, for dom may be anywhere. */
function timeOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z?$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** As ssh-keygen -l shows a key: `SHA256:…`. */
export function sshFingerprint(blob: Uint8Array): string {
  const digest = createHash('sha256').update(blob).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
