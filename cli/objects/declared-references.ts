import type { ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { readDeclarations } from './manifests.ts';
import { kindNamed, type Targets } from './targets.ts';

/** The flags of `FilesNamed`. */
export const FILENAME_FLAG = '-f, --filename <path...>';
export const RECURSIVE_FLAG = '-R, --recursive';

/** Objects that a command works on because files declare them. */
export interface FilesNamed {
  readonly filename?: readonly string[];
  readonly recursive?: true;
}

/** What files, folders, https URLs or stdin declare, in the order of apply. */
export async function declaredReferences(
  cli: Cli,
  words: readonly string[],
  { filename = [], recursive }: FilesNamed,
): Promise<readonly ObjectReference[]> {
  if (words.length > 0) throw new CommandError('error: give names or -f, not both');
  const read = await readDeclarations(cli, filename, { recursive: recursive === true });
  if (read.problems.length > 0) throw new CommandError(read.problems.join('\n'));
  return read.declarations.map(({ object: { kind, metadata } }) => {
    return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
  });
}

/** The same as targets of a command line, each with its namespace. */
export async function declaredTargets(
  cli: Cli,
  words: readonly string[],
  files: FilesNamed,
): Promise<Targets> {
  const references = await declaredReferences(cli, words, files);
  const names = references.map(({ kind, ...reference }) => {
    return { ...reference, kind: kindNamed(kind) };
  });
  return { form: 'names', names };
}
