import { compareKeys } from '../store/key-order.ts';
import { type Digest, digestHex, digestOf, isDigest } from './digest.ts';

/** One file of a release. */
export interface ReleaseFile {
  /** Relative, parts joined by `/`, NFC; see `pathProblem`. */
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Without spaces: `text/html;charset=utf-8`. */
  readonly contentType: string;
}

/** Thrown by `parseManifest` and `encodeManifest`; the message names the line and the reason. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

export const MANIFEST_FILES_MAX = 100_000;
export const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
export const MANIFEST_PATH_BYTES_MAX = 1024;

const FIRST_LINE = 'b8s-release 1';

/**
 * The canonical text of a release, as UTF-8: two nodes that hold the same files hold the same
 * bytes. The first line is `b8s-release 1`; then one line per file, sorted by the bytes of its
 * path: `<64 hex digits> <size in bytes> <content type> <path>`. Each line ends in a line feed.
 *
 * `files` may come in any order. Throws a `ManifestError` for what `parseManifest` would refuse.
 */
export function encodeManifest(files: readonly ReleaseFile[]): Uint8Array {
  const lines = files
    .toSorted((one, other) => compareKeys(one.path, other.path))
    .map((file, index) => encodeLine(file, index + 2));
  const bytes = Buffer.from(`${[FIRST_LINE, ...lines].join('\n')}\n`);
  // One rule for what a manifest may hold: what cannot be read must not be written.
  parseManifest(bytes);
  return bytes;
}

/** The files in the manifest's order. Throws a `ManifestError` for anything not canonical. */
export function parseManifest(bytes: Uint8Array): readonly ReleaseFile[] {
  const lines = manifestLines(bytes);
  if (lines[0] !== FIRST_LINE) throw new ManifestError(`line 1: is not "${FIRST_LINE}"`);
  const files: ReleaseFile[] = [];
  const types = new Set<string>();
  let previous = '';
  for (let index = 1; index < lines.length; index += 1) {
    const file = parseLine(lines[index] ?? '', index + 1, types);
    const order = compareKeys(previous, file.path);
    if (order === 0) throw new ManifestError(`line ${index + 1}: "${file.path}" is named twice`);
    if (order > 0) throw new ManifestError(`line ${index + 1}: "${file.path}" is out of order`);
    previous = file.path;
    files.push(file);
  }
  return files;
}

/** The name of a release: the digest of its manifest's bytes. */
export function releaseDigest(manifest: Uint8Array): Digest {
  return digestOf(manifest);
}

/** Why a path cannot be in a release, or undefined when it can. */
export function pathProblem(path: string): string | undefined {
  if (path.length <= MANIFEST_PATH_BYTES_MAX && PLAIN_PATH.test(path)) return undefined;
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (Buffer.byteLength(path) > MANIFEST_PATH_BYTES_MAX) {
    return `is longer than ${MANIFEST_PATH_BYTES_MAX} bytes`;
  }
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u.test(path)) return 'has a control character';
  if (path.includes('\\')) return 'has a backslash';
  if (path !== path.normalize('NFC')) return 'is not in Unicode normal form C';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return `has a part "${part}"`;
  }
  return undefined;
}

/** What most paths are, and in which no problem can be. */
const PLAIN_PATH = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/u;

function manifestLines(bytes: Uint8Array): readonly string[] {
  if (bytes.length > MANIFEST_BYTES_MAX) {
    throw new ManifestError(`the manifest is longer than ${MANIFEST_BYTES_MAX} bytes`);
  }
  const lines = decodeUtf8(bytes).split('\n');
  if (lines.pop() !== '') throw new ManifestError(`line ${lines.length + 1}: is not ended`);
  if (lines.length - 1 > MANIFEST_FILES_MAX) {
    throw new ManifestError(
      `line ${MANIFEST_FILES_MAX + 2}: more than ${MANIFEST_FILES_MAX} files`,
    );
  }
  return lines;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ManifestError('the manifest is not UTF-8', { cause });
  }
}

/** Path last: it alone may hold spaces. Sizes have no leading zeros: one text per release. */
const LINE = /^([0-9a-f]{64}) (0|[1-9][0-9]{0,15}) ([^ ]+) (.+)$/u;

/** RFC 9110 §8.3.1, with parameters but without spaces. */
const CONTENT_TYPE = /^[\w.+-]+\/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*$/u;

/** `types`: content types that are known to be some. */
function parseLine(line: string, number: number, types: Set<string>): ReleaseFile {
  const [, hex, size, contentType, path] = LINE.exec(line) ?? [];
  if (path === undefined || contentType === undefined)
    throw new ManifestError(`line ${number}: is not "<digest> <size> <content type> <path>"`);
  const file: ReleaseFile = { path, digest: `sha256-${hex}`, sizeBytes: Number(size), contentType };
  const isPlain = types.has(contentType) && Number.isSafeInteger(file.sizeBytes);
  if (isPlain && pathProblem(path) === undefined) return file;
  types.add(contentType);
  return checked(file, number);
}

function encodeLine(file: ReleaseFile, number: number): string {
  const { digest, sizeBytes, contentType, path } = checked(file, number);
  return `${digestHex(digest)} ${sizeBytes} ${contentType} ${path}`;
}

function checked(file: ReleaseFile, number: number): ReleaseFile {
  const problem = fileProblem(file);
  if (problem !== undefined) throw new ManifestError(`line ${number}: ${problem}`);
  return file;
}

function fileProblem({ path, digest, sizeBytes, contentType }: ReleaseFile): string | undefined {
  if (!isDigest(digest)) return `the digest "${String(digest)}" is not sha256-<64 hex digits>`;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return `${sizeBytes} is not a size`;
  if (!CONTENT_TYPE.test(contentType)) return `"${contentType}" is not a content type`;
  const problem = pathProblem(path);
  return problem === undefined ? undefined : `the path "${path}" ${problem}`;
}
