import type { Command } from 'commander';
import { shortDigest } from '../../api/column.ts';
import { formatDuration } from '../../api/duration.ts';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { HistoryEntry, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { countOf, durationMsOf } from '../flags.ts';
import { fetchObject, modify, named } from '../objects.ts';
import { qualifiedName } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { waitForRollout } from '../rollout.ts';
import { parseName, referenceOf } from '../targets.ts';

const TIMEOUT_MS = 600_000;

/** `rollout status|history|undo site/NAME` */
export function registerRollout(command: Command, cli: Cli): void {
  command
    .command('status')
    .description('Wait until a site serves the release it should, on every node.')
    .argument('<site...>', 'site/NAME')
    .option('--timeout <duration>', 'how long to wait at most', durationMsOf, TIMEOUT_MS)
    .action(async (words: readonly string[], { timeout }: { readonly timeout: number }) => {
      const reference = await siteOf(words, cli);
      await waitForRollout(await cli.api(), reference, timeout, cli);
    });
  command
    .command('history')
    .description('List what the site was, the latest last.')
    .argument('<site...>', 'site/NAME')
    .action(async (words: readonly string[]) => {
      await history(words, cli);
    });
  command
    .command('undo')
    .description('Serve the content again that was served before.')
    .argument('<site...>', 'site/NAME')
    .option('--to-generation <number>', 'the content of this generation, see history', countOf)
    .action(async (words: readonly string[], options: { readonly toGeneration?: number }) => {
      await undo(words, options.toGeneration, cli);
    });
  command.addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  b8sctl rollout status site/blog
  b8sctl rollout history site/blog
  b8sctl rollout undo site/blog --to-generation 3`;

async function siteOf(words: readonly string[], cli: Cli): Promise<ObjectReference> {
  const target = parseName(words);
  if (target.kind.kind === 'Site') return referenceOf(target, await cli.namespace());
  throw new CommandError(`error: only sites are rolled out; ${target.kind.plural} are not`);
}

async function history(words: readonly string[], cli: Cli): Promise<void> {
  const reference = await siteOf(words, cli);
  const api = await cli.api();
  const entries = await named(reference, () => api.history(reference));
  if (entries.length === 0) {
    cli.terminal.error('No history found\n');
    return;
  }
  const nowMs = cli.clock.nowMs();
  const rows = entries.map((entry) => [
    String(entry.generation),
    entry.change,
    shortDigest(contentOf(entry.spec)?.release),
    formatDuration(nowMs - entry.timeMs),
    entry.user,
    entry.command,
  ]);
  const header = ['GENERATION', 'CHANGE', 'RELEASE', 'AGE', 'USER', 'COMMAND'];
  cli.terminal.out(renderTable(rows, { header }));
}

async function undo(
  words: readonly string[],
  toGeneration: number | undefined,
  cli: Cli,
): Promise<void> {
  const reference = await siteOf(words, cli);
  const api = await cli.api();
  const site = (await fetchObject(api, reference)) as Site;
  const entries = await api.history(reference);
  const content = contentToRestore(site, entries, toGeneration);
  const { outcome, object } = await modify(api, reference, (current) =>
    withContent(current as Site, content),
  );
  const said =
    outcome === 'changed'
      ? `rolled back to ${content.release ?? ''}`
      : `skipped rollback (it has ${content.release ?? ''} already)`;
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
}

type Content = NonNullable<Site['spec']['content']>;

/** The content of that generation; without one, the latest that differs from the present one. */
function contentToRestore(
  { metadata, spec }: Site,
  entries: readonly HistoryEntry[],
  generation: number | undefined,
): Content {
  // An earlier site of the same name is another site.
  const own = entries.filter((entry) => entry.uid === metadata.uid && entry.change !== 'deleted');
  const wanted = own.findLast((entry) => {
    const release = contentOf(entry.spec)?.release;
    if (generation !== undefined) return entry.generation === generation;
    const isEarlier = entry.generation < metadata.generation;
    return isEarlier && release !== undefined && release !== spec.content?.release;
  });
  const content = contentOf(wanted?.spec);
  if (content?.release !== undefined) return content;
  if (generation === undefined) {
    throw new CommandError('error: no earlier release found in the history');
  }
  const why = wanted === undefined ? 'is not in the history' : 'has no release';
  throw new CommandError(`error: generation ${generation} ${why}`);
}

function contentOf(spec: unknown): Content | undefined {
  return (spec as Site['spec'] | undefined)?.content;
}

function withContent(site: Site, content: Content): Resource {
  if (site.spec.content?.release === content.release) return site;
  return { ...site, spec: { ...site.spec, content } };
}
