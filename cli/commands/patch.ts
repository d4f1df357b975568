import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import type { Resource } from '../../api/object.ts';
import { type Cli, CommandError } from '../cli.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { jsonPatch, type Operation, parseOperations } from '../objects/json-patch.ts';
import { modify } from '../objects/objects.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

interface PatchOptions extends GitConsent {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: 'merge' | 'json';
}

/** `patch TYPE NAME -p PATCH`: a merge patch (RFC 7396) or a JSON Patch (RFC 6902), also as YAML. */
export function registerPatch(command: Command, cli: Cli): void {
  command
    .argument('<words...>', 'TYPE NAME or TYPE/NAME')
    .addOption(
      new Option('--type <type>', 'merge: fields to set, null removes; json: a list of operations')
        .choices(['merge', 'json'])
        .default('merge'),
    )
    .option('-p, --patch <patch>', 'the patch, as JSON or YAML (RFC 7396, RFC 6902)')
    .option('--patch-file <path>', 'a file with the patch, - for standard input');
  withGitConsent(command)
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: PatchOptions) => {
      await patch(words, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl patch site blog -p '{"spec":{"ttl":60}}'
  b8sctl patch node/fra1 -p 'spec: { location: null }'
  b8sctl patch site/blog --type json -p '[{"op":"add","path":"/spec/hosts/-","value":"www.example.com"}]'`;

async function patch(words: readonly string[], options: PatchOptions, cli: Cli): Promise<void> {
  const target = parseName(words);
  const change = parsePatch(await patchText(options, cli), options.type);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const apply = (current: Resource): Resource => {
    const patched = applyPatch(current, change) as Resource;
    return isDeepStrictEqual(patched, current) ? current : patched;
  };
  const reference = referenceOf(target, namespace);
  const { outcome, object } = await modify(api, reference, apply, (both) =>
    mindGit(api, both, { consent: options, cli }),
  );
  const said = outcome === 'changed' ? 'patched' : 'patched (no change)';
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
}

async function patchText({ patch: text, patchFile }: PatchOptions, cli: Cli): Promise<string> {
  if ((text === undefined) === (patchFile === undefined))
    throw new CommandError('error: say the patch with -p, or name its file with --patch-file');
  if (patchFile === undefined) return text ?? '';
  if (patchFile === '-') return await cli.files.readStandardInput();
  const read = await cli.files.readText(patchFile);
  if (read === undefined) throw new CommandError(`error: the path "${patchFile}" does not exist`);
  return read;
}

type Change =
  | { readonly type: 'merge'; readonly fields: Fields }
  | { readonly type: 'json'; readonly operations: readonly Operation[] };

function parsePatch(text: string, type: PatchOptions['type']): Change {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new CommandError('error: the patch is neither JSON nor YAML', { cause });
  }
  const change: Change =
    type === 'json'
      ? { type, operations: parseOperations(value) }
      : { type, fields: parseFields(value) };
  const roots =
    change.type === 'merge'
      ? Object.keys(change.fields)
      : change.operations.flatMap(({ op, path }) =>
          op === 'test' ? [] : [path[0] ?? 'all of it'],
        );
  const foreign = roots.filter((root) => root !== 'spec' && root !== 'metadata');
  if (foreign.length === 0) return change;
  throw new CommandError(`error: ${foreign.join(', ')} cannot be patched: only spec and metadata`);
}

function parseFields(value: unknown): Fields {
  if (isFields(value)) return value;
  const hint = Array.isArray(value) ? '; a list of operations needs --type json' : '';
  throw new CommandError(`error: the patch must be a group of fields${hint}`);
}

function applyPatch(target: unknown, change: Change): unknown {
  return change.type === 'merge'
    ? mergePatch(target, change.fields)
    : jsonPatch(target, change.operations);
}

/** RFC 7396 §2. */
function mergePatch(target: unknown, change: unknown): unknown {
  if (!isFields(change)) return change;
  const merged = new Map(Object.entries(isFields(target) ? target : {}));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
