import type { Kind } from '../../api/kind.ts';
import { isKindName, kindOf, kinds, namesOf } from '../../api/kinds.ts';
import { didYouMean } from '../../api/nearest.ts';
import type { Resource } from '../../api/object.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { CommandError } from '../cli.ts';

/** What the words of a command line mean: some kinds as a whole, or objects by name. */
export type Targets =
  | { readonly form: 'kinds'; readonly kinds: readonly Kind[] }
  | { readonly form: 'names'; readonly names: readonly NamedTarget[] };

export interface NamedTarget {
  readonly kind: Kind;
  readonly name: string;
  /** Absent: the one to work in. */
  readonly namespace?: string;
}

/** Reads `TYPE[,TYPE] [NAME...]` or `TYPE/NAME...`; throws a CommandError in kubectl's words. */
export function parseTargets(words: readonly string[]): Targets {
  const [first = '', ...rest] = words;
  if (words.some((word) => word.includes('/'))) {
    return { form: 'names', names: words.map(parseNamedTarget) };
  }
  const named = first.split(',').map(kindNamed);
  if (rest.length === 0) return { form: 'kinds', kinds: named };
  return { form: 'names', names: named.flatMap((kind) => rest.map((name) => ({ kind, name }))) };
}

export function kindsOf(targets: Targets): readonly Kind[] {
  return targets.form === 'kinds' ? targets.kinds : targets.names.map(({ kind }) => kind);
}

/** Reads words that must name objects: `TYPE NAME...` or `TYPE/NAME...`. */
export function parseNames(words: readonly string[]): readonly NamedTarget[] {
  const targets = parseTargets(words);
  if (targets.form === 'names') return targets.names;
  throw new CommandError('error: name the object: TYPE NAME or TYPE/NAME');
}

/** Like `parseNames`, for commands that work on exactly one. */
export function parseName(words: readonly string[]): NamedTarget {
  const [target, ...others] = parseNames(words);
  if (target !== undefined && others.length === 0) return target;
  throw new CommandError('error: name one object only: TYPE NAME or TYPE/NAME');
}

/** The kind that a person means by `sites`, `site`, `si` or `sites.b8s.dev`. */
export function kindNamed(word: string): Kind {
  const kind = kindOf(word);
  if (kind !== undefined) return kind;
  const known = kinds.flatMap(namesOf);
  if (word.toLowerCase() === 'all') {
    const all = 'nodes,sites,zones,certificates';
    throw new CommandError(
      `error: there is no "all": name the kinds, parted by commas, e.g. ${all}`,
    );
  }
  throw new CommandError(
    `error: the server doesn't have a resource type "${word}"${didYouMean(word, known)}`,
  );
}

/** Where the object lives. */
export function referenceOf({ kind, name }: NamedTarget, namespace: string): ObjectReference {
  return { kind: kind.kind, namespace: kind.scope === 'namespace' ? namespace : '', name };
}

/** The reference of an object that was read. */
export function referenceTo({ kind, metadata }: Resource): ObjectReference {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The kind of an object that was read; its file says how to show it. */
export function kindOfObject(object: { readonly kind: string }): Kind {
  if (isKindName(object.kind)) return kindNamed(object.kind);
  throw new CommandError(`error: this b8sctl does not know the kind ${object.kind}`);
}

function parseNamedTarget(word: string): NamedTarget {
  const [type = '', name = '', ...rest] = word.split('/');
  if (type === '' || name === '' || rest.length > 0) {
    throw new CommandError(`error: "${word}" is not TYPE/NAME: give all arguments that way`);
  }
  return { kind: kindNamed(type), name };
}
