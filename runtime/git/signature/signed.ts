/** A signed object of Git, taken apart. */
export interface SignedObject {
  /** For messages: `commit 1c0d8a2`, `tag v1.2.0`. */
  readonly what: string;
  /** All of it but the signature. */
  readonly payload: Uint8Array;
  /** Armored; undefined: it has none. */
  readonly signature: string | undefined;
  /** When it says that it was made. */
  readonly atMs: number;
}

/** `problem` is what is wrong with the object, for a person. */
export type SignedRead =
  | { readonly kind: 'signed'; readonly signed: SignedObject }
  | { readonly kind: 'problem'; readonly problem: string };

/** As Git reads it: the header `gpgsig` and the lines that go on with it are the signature. */
export function splitCommit(raw: Uint8Array, what: string): SignedRead {
  const text = Buffer.from(raw).toString('latin1');
  const end = text.indexOf('\n\n');
  if (!text.startsWith('tree ') || end < 0) return problem(what, 'it is no commit');
  const headers = text.slice(0, end + 1).match(/[^\n]*\n(?: [^\n]*\n)*/g) ?? [];
  // Git leaves out of what is signed every header that begins so.
  const signatures = headers.filter((header) => header.startsWith('gpgsig'));
  const [first] = signatures;
  if (signatures.length > 1) return problem(what, 'it has more than one signature');
  if (first !== undefined && !first.startsWith('gpgsig '))
    return problem(what, 'its signature is not over what Git calls it by here');
  const rest = headers.filter((header) => header !== first).join('');
  const signature = first?.slice('gpgsig '.length).replaceAll('\n ', '\n');
  const payload = Buffer.from(rest + text.slice(end + 1), 'latin1');
  return withTime({ what, payload, signature }, rest, 'committer');
}

/** Of an annotated tag; its signature is the end of its message. */
export function splitTag(
  raw: Uint8Array,
  expected: { readonly name: string; readonly commit: string; readonly what: string },
): SignedRead {
  const { name, commit, what } = expected;
  const text = Buffer.from(raw).toString('latin1');
  const end = text.indexOf('\n\n');
  const headers = end < 0 ? '' : text.slice(0, end + 1);
  const fields = /^object ([0-9a-f]{40})\ntype commit\ntag ([^\n]*)\n/.exec(headers);
  if (fields === null) return problem(what, 'it is no tag of a commit');
  if (fields[1] !== commit) return problem(what, 'it is of another commit');
  // Else a signed tag of old could be given another name.
  if (Buffer.from(fields[2] ?? '', 'latin1').toString() !== name)
    return problem(what, 'the name in the tag is another one');
  const begins = [...text.slice(end).matchAll(/\n-----BEGIN [A-Z]+ (?:SIGNATURE|MESSAGE)-----/g)];
  const last = begins.at(-1);
  const cut = last === undefined ? text.length : end + last.index + 1;
  const signature = last === undefined ? undefined : text.slice(cut);
  const payload = Buffer.from(text.slice(0, cut), 'latin1');
  return withTime({ what, payload, signature }, headers, 'tagger');
}

function withTime(
  signed: Omit<SignedObject, 'atMs'>,
  headers: string,
  who: 'committer' | 'tagger',
): SignedRead {
  const found = new RegExp(`^${who} [^\n]*> (\\d{1,11}) [+-]\\d{4}$`, 'm').exec(headers);
  if (found === null) return problem(signed.what, 'it does not say when it was made');
  return { kind: 'signed', signed: { ...signed, atMs: Number(found[1]) * 1000 } };
}

function problem(what: string, why: string): SignedRead {
  return { kind: 'problem', problem: `${what} cannot be verified: ${why}` };
}
