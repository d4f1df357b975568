import type { KeyValue, Transaction, Write } from '../../runtime/store/store.ts';

/** Values that are told of: no key material, no tokens, nothing that is not named here (INV-33). */
const OPEN =
  /^\/b8s\/(sites|zones|nodes|releases|certificates|events|system\/(session|report|zone|host|geo))\//;
/** Metadata that changes with every write. */
const DULL = /^metadata\.(managedFields|resourceVersion|generation)\b/;
const CHANGES_MAX = 3;
const VALUE_LENGTH_MAX = 24;
const DIGEST_LENGTH = 15;
const UID_LENGTH = 8;

export interface CommitWords {
  /** "nodes/london: status.phase Joining→Ready; -system/session/london" */
  readonly what: string;
  /** By key: what of its value is new, path by path. */
  readonly changes: Readonly<Record<string, readonly string[]>>;
}

/** What a commit changes, for a person. History records go without saying. */
export function commitWords(
  { writes }: Pick<Transaction, 'writes'>,
  before: ReadonlyMap<string, KeyValue | undefined>,
): CommitWords {
  const changes: Record<string, readonly string[]> = {};
  const words = writes
    .filter(({ key }) => !key.startsWith('/b8s-history/'))
    .map((write) => {
      const changed = changesOf(write, before.get(write.key)?.value);
      changes[shortKey(write.key)] = changed;
      return wordsOf(write, { changed, isNew: before.get(write.key) === undefined });
    });
  return { what: words.join('; '), changes };
}

/** `nodes/london` of `/b8s/nodes/london`. */
export function shortKey(key: string): string {
  return key.replace(/^\/b8s[/-]/, '').replaceAll(/sha256-[0-9a-f]{64}/g, shortDigest);
}

function wordsOf(
  write: Write,
  { changed, isNew }: { readonly changed: readonly string[]; readonly isNew: boolean },
): string {
  const key = shortKey(write.key);
  if (write.kind === 'delete') return `-${key}`;
  if (isNew) return `+${key}`;
  if (changed.length === 0) return key;
  const left = changed.length - CHANGES_MAX;
  const more = left > 0 ? ` and ${left} more` : '';
  return `${key}: ${changed.slice(0, CHANGES_MAX).join(', ')}${more}`;
}

function changesOf(write: Write, before: string | undefined): readonly string[] {
  if (write.kind === 'delete' || before === undefined || !OPEN.test(write.key)) return [];
  const [old, now] = [leavesOf(before), leavesOf(write.value)];
  const paths = [...new Set([...now.keys(), ...old.keys()])].filter((path) => !DULL.test(path));
  return paths
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => `${path} ${old.get(path) ?? 'nothing'}→${now.get(path) ?? 'nothing'}`);
}

/** By path: "status.phase" → "Ready"; conditions by their type: "Ready" → "True NodeConnected". */
function leavesOf(json: string): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const walkList = (path: string, items: readonly unknown[]): void => {
    if (items.every((each) => typeof each !== 'object'))
      return void leaves.set(path, short(items.join(' ')));
    for (const [index, each] of items.entries()) {
      const { type, status, reason } = fieldsOf(each);
      if (type !== undefined && status !== undefined)
        leaves.set(type, [status, reason].join(' ').trim());
      else walk(`${path}[${nameOf(each, index)}]`, each);
    }
  };
  const walk = (path: string, value: unknown): void => {
    if (Array.isArray(value)) walkList(path, value);
    else if (typeof value !== 'object' || value === null) leaves.set(path, short(String(value)));
    else
      for (const [field, each] of Object.entries(value))
        walk(path === '' ? field : `${path}.${field}`, each);
  };
  walk('', JSON.parse(json));
  return leaves;
}

/** Items of lists are known by name, so that one more at the front is one change. */
function nameOf(item: unknown, index: number): string {
  const { name, node, uid } = fieldsOf(item);
  return name ?? node ?? uid?.slice(0, UID_LENGTH) ?? String(index);
}

/** Those that are texts, or as good as. */
function fieldsOf(item: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof item !== 'object' || item === null) return {};
  const scalars = Object.entries(item).filter(([, value]) => typeof value !== 'object');
  return Object.fromEntries(scalars.map(([field, value]) => [field, String(value)]));
}

function short(text: string): string {
  const words = text.replaceAll(/sha256-[0-9a-f]{64}/g, shortDigest);
  return words.length > VALUE_LENGTH_MAX ? `${words.slice(0, VALUE_LENGTH_MAX)}…` : words;
}

function shortDigest(digest: string): string {
  return `${digest.slice(0, DIGEST_LENGTH)}…`;
}
