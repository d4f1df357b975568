import { type ContentCoding, isCompressible } from '../../runtime/content/content-coding.ts';
import { type Digest, digestHex } from '../../runtime/content/digest.ts';
import type { ReleaseFile } from '../../runtime/content/manifest.ts';
import type { Variant, Variants } from '../../runtime/content/variants.ts';
import {
  isRulesFile,
  NO_RULES,
  type ReleaseRules,
} from '../../runtime/release-rules/release-rules.ts';
import { isFingerprinted } from './fingerprint.ts';

/** A release as it is looked up: the files by path. */
export interface EdgeRelease {
  readonly digest: Digest;
  readonly files: ReadonlyMap<string, EdgeFile>;
  /** Names what its compressed forms were taken from; empty: it has none. */
  readonly formsFrom: string;
  /** Of its files `_redirects` and `_headers`, which are not among `files`. */
  readonly rules: ReleaseRules;
}

/** A file with all that can be said of it before anybody asks. */
export interface EdgeFile extends ReleaseFile {
  readonly etag: string;
  /** Another content would have another name. */
  readonly isFingerprinted: boolean;
  /** Its compressed forms that can be served, the smallest first. */
  readonly forms: readonly EdgeForm[];
  /** Of `forms`, in their order. */
  readonly codings: readonly ContentCoding[];
  /** There is a compressed form, or may be one some day. */
  readonly mayBeCompressed: boolean;
}

export interface EdgeForm extends Variant {
  readonly etag: string;
}

export interface KnownForms {
  readonly variants: Variants;
  /** Forms that cannot be served: their blobs are not here. */
  readonly absent: ReadonlySet<Digest>;
  /** Names both. */
  readonly from: string;
}

/** Pure; linear in files. `known`: left out where no compressed forms are known. */
export function compileRelease(
  digest: Digest,
  files: Iterable<ReleaseFile>,
  known?: KnownForms,
  rules: ReleaseRules = NO_RULES,
): EdgeRelease {
  const served = [...files].filter(({ path }) => !isRulesFile(path));
  const compiled = new Map(served.map((file) => [file.path, compileFile(file, known)]));
  return { digest, files: compiled, formsFrom: known?.from ?? '', rules };
}

/** Strong (RFC 9110 §8.8.3): it names the very bytes sent, so it is equal on all nodes. */
export function etagOf(digest: Digest): string {
  return `"${digestHex(digest).slice(0, 32)}"`;
}

const NO_FORMS: readonly EdgeForm[] = [];
const NO_CODINGS: readonly ContentCoding[] = [];

function compileFile(file: ReleaseFile, known: KnownForms | undefined): EdgeFile {
  const { path, digest, sizeBytes, contentType } = file;
  const forms = known === undefined ? NO_FORMS : formsOf(file, known);
  return {
    ...{ path, digest, sizeBytes, contentType },
    etag: etagOf(digest),
    isFingerprinted: isFingerprinted(path),
    forms,
    codings: forms.length === 0 ? NO_CODINGS : forms.map(({ coding }) => coding),
    mayBeCompressed: forms.length > 0 || isCompressible(contentType, sizeBytes),
  };
}

function formsOf(
  { digest: source, sizeBytes }: ReleaseFile,
  { variants, absent }: KnownForms,
): readonly EdgeForm[] {
  const forms = variants.get(source) ?? NO_FORMS;
  if (forms.length === 0) return NO_FORMS;
  return forms
    .filter((form) => !absent.has(form.digest) && form.sizeBytes < sizeBytes)
    .map((form) => ({ ...form, etag: etagOf(form.digest) }))
    .toSorted((one, other) => one.sizeBytes - other.sizeBytes);
}
