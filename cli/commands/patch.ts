import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { Resource } from '../../api/object.ts';
import { type Cli, CommandError } from '../cli.ts';
import { modify } from '../objects.ts';
import { qualifiedName } from '../render/output.ts';
import { parseName, referenceOf } from '../targets.ts';

interface PatchOptions {
  readonly patch: string;
}

/** `patch TYPE NAME -p PATCH`: a JSON Merge Patch (RFC 7396), written as JSON or YAML. */
export function registerPatch(command: Command, cli: Cli): void {
  command
    .argument('<words...>', 'TYPE NAME or TYPE/NAME')
    .requiredOption('-p, --patch <patch>', 'fields to set, null to remove: a merge patch, RFC 7396')
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: PatchOptions) => {
      await patch(words, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl patch site blog -p '{"spec":{"ttl":60}}'
  b8sctl patch node/fra1 -p 'spec: { location: null }'`;

async function patch(words: readonly string[], options: PatchOptions, cli: Cli): Promise<void> {
  const target = parseName(words);
  const change = parsePatch(options.patch);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const { outcome, object } = await modify(api, referenceOf(target, namespace), (current) => {
    const patched = mergePatch(current, change) as Resource;
    return isDeepStrictEqual(patched, current) ? current : patched;
  });
  const said = outcome === 'changed' ? 'patched' : 'patched (no change)';
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
}

function parsePatch(text: string): Fields {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new CommandError('error: the patch is neither JSON nor YAML', { cause });
  }
  if (!isFields(value)) throw new CommandError('error: the patch must be a group of fields');
  const foreign = Object.keys(value).filter((key) => key !== 'spec' && key !== 'metadata');
  if (foreign.length === 0) return value;
  throw new CommandError(`error: ${foreign.join(', ')} cannot be patched: only spec and metadata`);
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
