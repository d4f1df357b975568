import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
  type YAMLParseError,
} from 'yaml';
import type { Violation } from './kind.ts';
import { lineIn, lineOfNode, lineOfOffset, lineOfPath, linesOf } from './locate.ts';
import { parsePath } from './path.ts';

/** How large the text of one manifest may be, in bytes: 10 MB. */
export const MANIFEST_BYTES_MAX = 10_000_000;

/** How many objects one manifest may have. */
export const MANIFEST_DOCUMENTS_MAX = 10_000;

/** How many nodes the aliases of one document may stand for. */
export const ALIASES_MAX = 100;

/** One document of a manifest: an object to validate, or why there is none. */
export type ManifestDocument =
  | {
      readonly kind: 'object';
      readonly raw: unknown;
      /** The file or URL it came from; `-` for stdin. */
      readonly source: string;
      /** The line, from 1, of a path such as `spec.hosts[0]`, or of the nearest field around it. */
      locate(path: string): number;
    }
  /** `message` is whole: it names the source and line. */
  | { readonly kind: 'error'; readonly message: string };

/** What is wrong with a document of those that were parsed, at which path. */
export interface DocumentProblem {
  readonly document: Document;
  readonly path: string;
  readonly problem: string;
}

/** Changes documents before they are read; of a problem nothing of the text is read. */
export type PrepareDocuments = (documents: readonly Document[]) => DocumentProblem | undefined;

/**
 * Parses YAML (1.2, any number of documents) or JSON. A broken document is an error among the
 * others, which are still good. Empty documents are left out.
 */
export function parseManifests(
  text: string,
  source: string,
  prepare?: PrepareDocuments,
): readonly ManifestDocument[] {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MANIFEST_BYTES_MAX) {
    const limit = `at most ${MANIFEST_BYTES_MAX} (10 MB) are possible`;
    return [failure(`is ${sizeBytes} bytes long; ${limit}: split it into several files`, source)];
  }
  const lines = new LineCounter();
  const documents = parseText(text, lines);
  if (documents === 'tooDeep') return [failure(TOO_DEEP, source)];
  if (documents.length > MANIFEST_DOCUMENTS_MAX) {
    return [
      failure(
        `has ${documents.length} documents; at most ${MANIFEST_DOCUMENTS_MAX} are possible`,
        source,
      ),
    ];
  }
  const wrong = prepare?.(documents);
  if (wrong !== undefined) {
    const { document, path, problem } = wrong;
    const root = document.contents;
    const line = root === null ? 1 : lineOfPath(root, parsePath(path), lines);
    return [failure(`${path} ${problem}`, source, line)];
  }
  return documents.flatMap((document) => readDocument(document, { text, source, lines }));
}

/** `spec.hosts[0] "blog": needs a dot, e.g. blog.example.com (site.yaml:6)`. */
export function formatViolation(
  violation: Violation,
  document: Extract<ManifestDocument, { readonly kind: 'object' }>,
): string {
  const { path, message } = violation;
  const sentence = path === '' ? message : `${path} ${message}`;
  return `${sentence} (${document.source}:${document.locate(path)})`;
}

function failure(message: string, source: string, line?: number): ManifestDocument {
  return { kind: 'error', message: `${source}${line === undefined ? '' : `:${line}`} ${message}` };
}

function parseText(text: string, lines: LineCounter): readonly Document[] | 'tooDeep' {
  try {
    const documents = parseAllDocuments(text, {
      ...{ lineCounter: lines, prettyErrors: false },
      // It would warn on stderr of odd keys, with the key.
      logLevel: 'error',
      // The parser compares each key of a map with all before it; see `repeatedKey`.
      uniqueKeys: false,
    });
    // With no document at all the parser answers an empty one that is an array, too.
    return [...documents];
  } catch (error) {
    // The parser descends by recursion: a text of a million "[" runs out of stack.
    if (error instanceof RangeError) return 'tooDeep';
    throw error;
  }
}

interface Origin {
  readonly text: string;
  readonly source: string;
  readonly lines: LineCounter;
}

function readDocument(document: Document, origin: Origin): readonly ManifestDocument[] {
  const { source, lines } = origin;
  const [error] = document.errors;
  if (error !== undefined) {
    return [failure(syntaxMessage(error), source, lineOfOffset(error.pos[0], lines))];
  }
  if (document.contents === null) return [];
  const again = repeatedKey(document);
  if (again !== undefined) {
    const offset = again.range?.[0] ?? 0;
    return [failure(repeatedMessage(origin.text, offset), source, lineOfOffset(offset, lines))];
  }
  const values = plainValue(document);
  if (values.kind === 'error') {
    return [
      failure(values.message, source, lineOfNode(firstAlias(document) ?? document.contents, lines)),
    ];
  }
  const { raw } = values;
  if (raw === null) return [];
  // The tree is let go: it is some 60 times as large as the text.
  const places = linesOf(document.contents, lines);
  return [{ kind: 'object', raw, source, locate: (path) => lineIn(places, parsePath(path)) }];
}

const TOO_DEEP = 'nests too deeply to be a manifest';

/** The parser's own messages, with a mend where people need one. */
function syntaxMessage(error: YAMLParseError): string {
  if (error.code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  if (error.code === 'TAB_AS_INDENT') return 'is indented with a tab; YAML needs spaces';
  return `is not YAML: ${error.message}`;
}

function repeatedMessage(text: string, offset: number): string {
  const [field] = /^["']?([\w.-]*)/.exec(text.slice(offset, offset + 100))?.slice(1) ?? [];
  return `names ${field || 'a field'} again; remove one of the two`;
}

/** The first key that a map has twice, in time that is proportional to the document. */
function repeatedKey(document: Document): Node | undefined {
  // By hand, for a recursion could run out of stack.
  const left: unknown[] = [document.contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isSeq(node)) for (const item of node.items.toReversed()) left.push(item);
    if (!isMap<Node, Node>(node)) continue;
    const seen = new Set<unknown>();
    for (const { key } of node.items) {
      if (!isScalar(key)) continue;
      if (seen.has(key.value)) return key;
      seen.add(key.value);
    }
    for (const { key, value } of node.items.toReversed()) left.push(value, key);
  }
  return undefined;
}

type PlainValue =
  | { readonly kind: 'value'; readonly raw: unknown }
  | { readonly kind: 'error'; readonly message: string };

function plainValue(document: Document): PlainValue {
  try {
    const raw: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    return { kind: 'value', raw };
  } catch (error) {
    if (error instanceof ReferenceError && error.message.startsWith('Excessive alias')) {
      const message = `repeats more than ${ALIASES_MAX} values through aliases (*name); write them out`;
      return { kind: 'error', message };
    }
    if (error instanceof ReferenceError) return { kind: 'error', message: error.message };
    if (error instanceof RangeError) {
      return { kind: 'error', message: TOO_DEEP };
    }
    throw error;
  }
}

function firstAlias(document: Document): Node | undefined {
  const found: Node[] = [];
  visit(document, {
    Alias(_key, alias) {
      found.push(alias);
      return visit.BREAK;
    },
  });
  return found[0];
}
