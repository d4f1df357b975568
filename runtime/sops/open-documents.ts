import { createHash } from 'node:crypto';
import { type Document, isAlias, isMap, isScalar, isSeq, type Scalar } from 'yaml';
import type { PathStep } from '../../api/path.ts';
import { goNumber } from './go-number.ts';
import { openValue, parseSealedValue } from './sealed-value.ts';
import type { SopsBlock } from './sops-block.ts';

/** What is wrong with a document, and at which field; it never has a value in it. */
export interface OpenProblem {
  readonly document: Document;
  readonly steps: readonly PathStep[];
  readonly problem: string;
}

/** A value of a document, which may be encrypted. */
interface Leaf {
  readonly document: Document;
  readonly steps: readonly PathStep[];
  /** Those of `steps` that are keys. */
  readonly keys: readonly string[];
  readonly scalar: Scalar;
}

interface Opened {
  readonly leaf: Leaf;
  /** Undefined: it was bytes that are no UTF-8. */
  readonly text: string | undefined;
  /** What it was: `str`, `int` … */
  readonly type: string;
}

/** Begins the MAC of a file that covers encrypted values alone: SHA-256 of `sops`. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest();
/** Manifests nest half as deeply. */
const DEPTH_MAX = 20;
/** Of all different names of fields together: each is tried with the pattern of the file. */
const NAMES_LENGTH_MAX = 100_000;

/**
 * Decrypts the values of a file in place, and takes its sops block out. Nothing is changed unless all
 * of it is as it was encrypted, by the MAC over all its values in their order. Only values of Secrets
 * may be encrypted: of all else dom keeps records in the clear.
 */
export function openDocuments(
  documents: readonly Document[],
  block: SopsBlock,
  key: Uint8Array,
): OpenProblem | undefined {
  const known: Collected = { leaves: [], names: new Set(), namesLength: 0 };
  for (const document of documents) {
    const wrong = collect({ document, node: document.contents, steps: [], keys: [] }, known);
    if (wrong !== undefined) return wrong;
  }
  const mac = createHash('sha512');
  if (block.macOver === 'encrypted') mac.update(ONLY_ENCRYPTED);
  const opened: Opened[] = [];
  for (const leaf of known.leaves) {
    const isEncrypted = block.isEncrypted(leaf.keys);
    const value = isEncrypted ? openLeaf(leaf, key) : plainBytes(leaf.scalar);
    if (typeof value === 'string') return { ...leaf, problem: value };
    if (isEncrypted || block.macOver === 'all') mac.update(value.bytes);
    const { bytes, type } = value;
    if (type !== undefined) opened.push({ leaf, type, text: textOf(bytes) });
  }
  const [first] = documents;
  if (first !== undefined && !isMacOf(mac.digest('hex'), block, key)) {
    const problem =
      'is not what was encrypted: its MAC is of other values; see who changed it, and encrypt it again';
    return { document: first, steps: ['sops', 'mac'], problem };
  }
  const wrong = opened.flatMap((each) => unfitOf(each) ?? []).at(0);
  if (wrong !== undefined) return wrong;
  for (const { leaf, text } of opened) leaf.scalar.value = text;
  for (const { contents } of documents) if (isMap(contents)) contents.delete('sops');
  return undefined;
}

/** What must not be put into a document, though it was decrypted. */
function unfitOf({ leaf, type, text }: Opened): OpenProblem | undefined {
  if (!isOfSecret(leaf)) return { ...leaf, problem: NOT_SECRET };
  if (type !== 'str')
    return {
      ...leaf,
      problem: `was encrypted as ${type}; put it in quotes before it is encrypted`,
    };
  return text === undefined ? { ...leaf, problem: NOT_TEXT } : undefined;
}

const NOT_TEXT = 'was encrypted from bytes that are not UTF-8; a Secret holds text';
const NOT_SECRET =
  'is encrypted, and only values of a Secret (spec.data) may be: encrypt with --encrypted-regex "^data$"';

interface Place {
  readonly document: Document;
  readonly node: unknown;
  readonly steps: readonly PathStep[];
  readonly keys: readonly string[];
}

interface Collected {
  readonly leaves: Leaf[];
  readonly names: Set<string>;
  namesLength: number;
}

/** All values in their order, but those of the sops block. */
function collect(place: Place, known: Collected): OpenProblem | undefined {
  const { document, node, steps, keys } = place;
  if (steps.length > DEPTH_MAX) return { document, steps, problem: 'nests too deeply' };
  if (isAlias(node)) return { document, steps, problem: 'is an alias, which SOPS never writes' };
  if (isScalar(node)) {
    if (node.value !== null) known.leaves.push({ document, steps, keys, scalar: node });
    return undefined;
  }
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const wrong = collect({ ...place, node: item, steps: [...steps, index] }, known);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (!isMap(node)) return undefined;
  for (const { key, value } of node.items) {
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
    if (name === undefined) return { document, steps, problem: 'has a key that is no text' };
    if (steps.length === 0 && name === 'sops') continue;
    if (!known.names.has(name)) known.namesLength += name.length;
    known.names.add(name);
    if (known.namesLength > NAMES_LENGTH_MAX)
      return { document, steps, problem: 'has too many names of fields; split the file' };
    const inner = { document, node: value, steps: [...steps, name], keys: [...keys, name] };
    const wrong = collect(inner, known);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

interface Value {
  /** What the MAC covers. */
  readonly bytes: Uint8Array;
  /** What it was before it was encrypted; undefined: it is not. */
  readonly type?: string;
}

/** A text says what is wrong. */
function openLeaf({ scalar, keys }: Leaf, key: Uint8Array): Value | string {
  const { value } = scalar;
  // What is empty stays as it is.
  if (value === '') return { bytes: new Uint8Array() };
  const sealed = typeof value === 'string' ? parseSealedValue(value) : undefined;
  if (sealed === undefined) return 'is not encrypted, though the sops block says that it is';
  const bytes = openValue(sealed, key, `${keys.join(':')}:`);
  if (bytes === undefined)
    return 'cannot be decrypted: it was changed, or moved here from another field or file';
  return { bytes, type: sealed.type };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** As Go writes it, for the MAC. */
function plainBytes({ value, source }: Scalar): Value | string {
  if (typeof value === 'string') return { bytes: Buffer.from(value) };
  if (typeof value === 'boolean') return { bytes: Buffer.from(value ? 'True' : 'False') };
  if (typeof value === 'number') return { bytes: Buffer.from(goNumber(value, source)) };
  return 'is of a type that SOPS does not know';
}

function isMacOf(found: string, { mac, lastModified }: SopsBlock, key: Uint8Array): boolean {
  const sealed = parseSealedValue(mac);
  const wanted = sealed === undefined ? undefined : openValue(sealed, key, lastModified);
  return wanted?.toString('latin1') === found.toUpperCase();
}

/** `spec.data.NAME` of a Secret, which may be an item of a List. */
function isOfSecret({ document, steps }: Leaf): boolean {
  const isItem = steps[0] === 'items' && typeof steps[1] === 'number';
  const own = isItem ? steps.slice(2) : steps;
  const head = isItem ? steps.slice(0, 2) : [];
  if (own.length !== 3 || own[0] !== 'spec' || own[1] !== 'data') return false;
  return document.getIn([...head, 'kind']) === 'Secret';
}
