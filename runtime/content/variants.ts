import { CONTENT_CODINGS, type ContentCoding } from './content-coding.ts';
import { type Digest, digestHex, isDigest } from './digest.ts';
import { MANIFEST_BYTES_MAX, MANIFEST_FILES_MAX } from './manifest.ts';

/** One compressed form of a file: a blob of its own. */
export interface Variant {
  readonly coding: ContentCoding;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * By the digest of a file: its compressed forms, in the order of `CONTENT_CODINGS`. Empty: it was
 * looked at, and none is worth it.
 */
export type Variants = ReadonlyMap<Digest, readonly Variant[]>;

/** Thrown by `parseVariants` and `encodeVariants`; the message names the line and the reason. */
export class VariantsError extends Error {
  override readonly name = 'VariantsError';
}

export const VARIANTS_BYTES_MAX: number = MANIFEST_BYTES_MAX;

const FIRST_LINE = 'b8s-variants 1';

/**
 * The canonical text of an index of compressed forms, as ASCII. The first line is
 * `b8s-variants 1`; then one line per file, sorted by its digest: `<64 hex digits>`, and for each
 * form, in the order of `CONTENT_CODINGS`, ` <coding>:<64 hex digits>:<size in bytes>`. Each line
 * ends in a line feed.
 *
 * `variants` may come in any order. Throws a `VariantsError` for what `parseVariants` would refuse.
 */
export function encodeVariants(variants: Variants): Uint8Array {
  const lines = [...variants]
    .map(([source, forms]) => [digestHex(source), ...inOrder(forms).map(encodeForm)].join(' '))
    .toSorted();
  const bytes = Buffer.from(`${[FIRST_LINE, ...lines].join('\n')}\n`);
  // One rule for what an index may hold: what cannot be read must not be written.
  parseVariants(bytes);
  return bytes;
}

/** In the index's order. Throws a `VariantsError` for anything not canonical. */
export function parseVariants(bytes: Uint8Array): Variants {
  if (bytes.length > VARIANTS_BYTES_MAX)
    throw new VariantsError(`the index is longer than ${VARIANTS_BYTES_MAX} bytes`);
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .split('\n');
  if (lines.pop() !== '') throw new VariantsError(`line ${lines.length + 1}: is not ended`);
  if (lines[0] !== FIRST_LINE) throw new VariantsError(`line 1: is not "${FIRST_LINE}"`);
  if (lines.length - 1 > MANIFEST_FILES_MAX)
    throw new VariantsError(`line ${MANIFEST_FILES_MAX + 2}: more than ${MANIFEST_FILES_MAX}`);
  const variants = new Map<Digest, readonly Variant[]>();
  let previous = '';
  for (let index = 1; index < lines.length; index += 1) {
    const [hex = '', ...forms] = (lines[index] ?? '').split(' ', FIELDS_MAX);
    const source: Digest = `sha256-${hex}`;
    if (!isDigest(source)) throw new VariantsError(`line ${index + 1}: does not name a file`);
    if (hex <= previous) throw new VariantsError(`line ${index + 1}: is out of order`);
    previous = hex;
    variants.set(source, parseForms(forms, index + 1));
  }
  return variants;
}

/** One more than a line may have, so that it is noticed. */
const FIELDS_MAX = CONTENT_CODINGS.length + 2;

/** Sizes have no leading zeros: one text per index. */
const FORM = /^(?<coding>[a-z]+):(?<hex>[0-9a-f]{64}):(?<size>[1-9][0-9]{0,15})$/u;

function parseForms(forms: readonly string[], line: number): readonly Variant[] {
  let place = -1;
  return forms.map((form) => {
    const { coding: name, hex, size } = FORM.exec(form)?.groups ?? {};
    const index = CONTENT_CODINGS.findIndex((each) => each === name);
    const coding = CONTENT_CODINGS[index];
    const sizeBytes = Number(size);
    if (coding === undefined || hex === undefined || !Number.isSafeInteger(sizeBytes))
      throw new VariantsError(`line ${line}: is not "<coding>:<digest>:<size>"`);
    if (index <= place) throw new VariantsError(`line ${line}: "${coding}" is out of order`);
    place = index;
    return { coding, digest: `sha256-${hex}`, sizeBytes };
  });
}

function encodeForm({ coding, digest, sizeBytes }: Variant): string {
  return `${coding}:${digestHex(digest)}:${sizeBytes}`;
}

function inOrder(forms: readonly Variant[]): readonly Variant[] {
  const place = ({ coding }: Variant): number => CONTENT_CODINGS.indexOf(coding);
  return forms.toSorted((one, other) => place(one) - place(other));
}
