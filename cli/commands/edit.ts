import type { Command } from 'commander';
import { formatViolation, parseManifests } from '../../api/manifest.ts';
import type { Resource } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import { type Api, ApiError } from '../../runtime/api-client.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { fetchObject } from '../objects/objects.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import { qualifiedName, withoutManagedFields } from '../render/output.ts';
import { renderYaml } from '../render/yaml.ts';

/** `edit TYPE NAME | TYPE/NAME` */
export function registerEdit(command: Command, cli: Cli): void {
  command.argument('<words...>', 'TYPE NAME or TYPE/NAME').addHelpText('after', EXAMPLES);
  withGitConsent(command).action(async (words: readonly string[], consent: GitConsent) => {
    await edit(words, consent, cli);
  });
}

const EXAMPLES = `
Opens $VISUAL, $EDITOR or vi. What is refused comes back with the reasons; saving it unchanged
gives up.

Examples:
  b8sctl edit site blog
  EDITOR='code --wait' b8sctl edit zone/example-com`;

async function edit(words: readonly string[], consent: GitConsent, cli: Cli): Promise<void> {
  const target = parseName(words);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const original = await fetchObject(api, referenceOf(target, namespace));
  let body = editable(original);
  const unchanged = body;
  let problems: readonly string[] = [];
  for (;;) {
    const saved = withoutComments(
      await cli.editor.edit(head(problems) + body, `${target.kind.singular}-${target.name}.yaml`),
    );
    cli.signal.throwIfAborted();
    if (saved === unchanged || saved.trim() === '') {
      cli.terminal.error('Edit cancelled, no changes made.\n');
      if (problems.length > 0) throw new CommandError('');
      return;
    }
    if (problems.length > 0 && saved === body) {
      throw new CommandError(`error: given up, nothing was changed:\n  ${problems.join('\n  ')}`);
    }
    body = saved;
    problems = await save(api, { original, text: saved, consent, cli });
    if (problems.length === 0) return;
  }
}

interface Saved {
  readonly original: Resource;
  readonly text: string;
  readonly consent: GitConsent;
  readonly cli: Cli;
}

/** Writes what was saved; what is wrong with it, or nothing. */
async function save(api: Api, { original, text, consent, cli }: Saved): Promise<readonly string[]> {
  const [document, ...others] = parseManifests(text, 'edited');
  if (document === undefined || others.length > 0) return ['the file must hold one object'];
  if (document.kind === 'error') return [document.message];
  const validation = validateObject(document.raw);
  if (validation.kind === 'invalid') {
    return validation.violations.map((each) => formatViolation(each, document));
  }
  const { kind, metadata, spec } = validation.object;
  if (kind !== original.kind || metadata.name !== original.metadata.name) {
    return ['kind and metadata.name cannot be changed; apply a new object instead'];
  }
  const { labels = {}, annotations = {} } = metadata;
  const wanted = { ...original, metadata: { ...original.metadata, labels, annotations }, spec };
  try {
    await mindGit(api, { live: original, wanted }, { consent, cli });
    await api.update(wanted, { manager: MANAGER });
  } catch (error) {
    // What was written is not lost: the editor shows it again, with this.
    if (error instanceof CommandError) return error.message.split('\n');
    if (!(error instanceof ApiError) || error.reason !== 'Invalid') throw error;
    const violations = error.violations.map((each) => formatViolation(each, document));
    return violations.length > 0 ? violations : [errorText(error)];
  }
  cli.terminal.out(`${qualifiedName(original)} edited\n`);
  return [];
}

function editable(object: Resource): string {
  const { status: _, ...rest } = withoutManagedFields(object);
  return renderYaml(rest);
}

function head(problems: readonly string[]): string {
  const intro = ['Save and leave to change the object; save it empty or unchanged to give up.'];
  const refused =
    problems.length === 0 ? [] : ['It was refused:', ...problems.map((each) => `  ${each}`)];
  return [...intro, ...refused].map((line) => `# ${line.replaceAll('\n', ' ')}\n`).join('');
}

/** Our own lines at the top go, so that line numbers and comparisons are about the object. */
function withoutComments(text: string): string {
  return text.replace(/^(?:#.*\n)+/, '');
}
