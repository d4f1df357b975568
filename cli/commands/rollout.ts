import { type Command, Option } from 'commander';
import { formatBytes, NONE, shortDigest } from '../../api/column.ts';
import { formatDuration } from '../../api/duration.ts';
import type { Resource } from '../../api/object.ts';
import type { Release } from '../../api/release.ts';
import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import { ROLLOUT_DEFAULTS } from '../../api/site-rollout.ts';
import type { Api, HistoryEntry, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { countOf, durationOption, revisionOf } from '../flags.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { fetchObject, findObject, modify, named } from '../objects/objects.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';
import { fitOf, renderTable } from '../render/table.ts';
import { releaseStanding, waitForRollout } from '../rollout/rollout.ts';
import { annotated } from './cert.ts';

const TIMEOUT_MS = 600_000;

/** `rollout status|history|undo|pause|resume site/NAME` */
export function registerRollout(command: Command, cli: Cli): void {
  command
    .command('status')
    .description('Wait until a site serves the release it should, on every node.')
    .argument('<site...>', 'site/NAME')
    .addOption(durationOption('how long to wait at most', TIMEOUT_MS))
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
  withGitConsent(command.command('undo'))
    .description('Serve the content again that was served before.')
    .argument('<site...>', 'site/NAME')
    .option('--to-generation <number>', 'the content of this generation, see history', countOf)
    .addOption(
      new Option('--to-revision <revision>', 'the content of this revision, see b8sctl history')
        .argParser(revisionOf)
        .conflicts(['toGeneration', 'toRelease']),
    )
    .addOption(
      new Option('--to-release <digest>', 'this release; its first digits are enough').conflicts(
        'toGeneration',
      ),
    )
    .action(async (words: readonly string[], options: UndoOptions) => {
      await undo(words, options, cli);
    });
  withGitConsent(command.command('pause'))
    .description('Let nodes fetch new releases, and switch none of them until resumed.')
    .argument('<site...>', 'site/NAME')
    .action(async (words: readonly string[], consent: GitConsent) => {
      await setPaused(words, { paused: true, consent }, cli);
    });
  withGitConsent(command.command('resume'))
    .description('Go on after a pause, or with a release that was halted or undone.')
    .argument('<site...>', 'site/NAME')
    .action(async (words: readonly string[], consent: GitConsent) => {
      await setPaused(words, { paused: false, consent }, cli);
    });
  command.addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  b8sctl rollout status site/blog
  b8sctl rollout history site/blog
  b8sctl rollout undo site/blog --to-generation 3
  b8sctl rollout undo site/blog --to-release 1f3a5b
  b8sctl rollout undo site/blog --to-revision 1234
  b8sctl rollout pause site/blog
  b8sctl rollout resume site/blog`;

interface UndoOptions extends GitConsent {
  readonly toGeneration?: number;
  readonly toRelease?: string;
  readonly toRevision?: bigint;
}

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
  const site = (await findObject(api, reference)) as Site | undefined;
  const releases = await releasesOf(api, reference);
  const shown = site?.status?.previews ?? [];
  const previews = new Map(shown.map(({ release, url }) => [release, url]));
  const rows = entries.map((entry, index) => {
    const release = contentOf(entry.spec)?.release;
    const published = releases.get(release ?? '');
    const isLast = !entries
      .slice(index + 1)
      .some((each) => contentOf(each.spec)?.release === release);
    const isOfNow = site?.metadata.uid === entry.uid && isLast && release !== undefined;
    return [
      String(entry.generation),
      entry.change,
      shortDigest(release),
      published === undefined ? NONE : String(published.spec.files),
      published === undefined ? NONE : formatBytes(published.spec.sizeBytes),
      isOfNow ? releaseStanding(site, release, new Set(releases.keys())) : '',
      formatDuration(nowMs - entry.timeMs),
      entry.user,
      entry.command,
      ...(previews.size > 0 ? [previews.get(release ?? '') ?? NONE] : []),
    ];
  });
  const header = [
    'GENERATION',
    'CHANGE',
    'RELEASE',
    'FILES',
    'SIZE',
    'STATE',
    'AGE',
    'USER',
    'COMMAND',
    ...(previews.size > 0 ? ['PREVIEW'] : []),
  ];
  cli.terminal.out(renderTable(rows, { header, last: 'wrap', ...fitOf(cli.terminal) }));
}

/** By name: all of the namespace, for a Site may serve what was pushed for another. */
async function releasesOf(
  api: Api,
  { namespace }: ObjectReference,
): Promise<ReadonlyMap<string, Release>> {
  const { objects } = await api.list({ kind: 'Release', namespace: namespace ?? '' });
  return new Map(objects.map((each) => [each.metadata.name, each as Release]));
}

async function undo(
  words: readonly string[],
  { toGeneration, toRelease, toRevision, ...consent }: UndoOptions,
  cli: Cli,
): Promise<void> {
  const reference = await siteOf(words, cli);
  const api = await cli.api();
  const site = (await fetchObject(api, reference)) as Site;
  const entries = await api.history(reference);
  const content =
    toRelease === undefined
      ? contentToRestore(site, entries, { toGeneration, toRevision })
      : { release: releaseNamed(await releasesOf(api, reference), toRelease) };
  const { outcome, object } = await modify(
    api,
    reference,
    (current) => withContent(current as Site, content),
    (both) => mindGit(api, both, { consent, cli }),
  );
  const said =
    outcome === 'changed'
      ? `rolled back to ${content.release ?? ''}`
      : `skipped rollback (it has ${content.release ?? ''} already)`;
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
}

/** By the first digits of its digest, as tables show them. */
function releaseNamed(releases: ReadonlyMap<string, Release>, word: string): string {
  const digits = word.replace(/^sha256-/, '').toLowerCase();
  const found = [...releases.keys()].filter((name) => name.startsWith(`sha256-${digits}`));
  const [release] = found;
  if (release !== undefined && found.length === 1 && digits !== '') return release;
  const why =
    found.length > 1 && digits !== ''
      ? `is the beginning of ${found.length} releases`
      : 'is no release that is kept';
  throw new CommandError(`error: "${word}" ${why}: see b8sctl get releases`);
}

async function setPaused(
  words: readonly string[],
  { paused, consent }: { readonly paused: boolean; readonly consent: GitConsent },
  cli: Cli,
): Promise<void> {
  const reference = await siteOf(words, cli);
  const request = new Date(cli.clock.nowMs()).toISOString();
  const api = await cli.api();
  const change = (current: Resource): Resource => {
    const site = current as Site;
    const phase = site.status?.rollout?.phase;
    const isStopped = phase === 'halted' || phase === 'undone';
    const rollout = site.spec.rollout ?? ROLLOUT_DEFAULTS;
    const changed =
      rollout.paused === paused
        ? site
        : { ...site, spec: { ...site.spec, rollout: { ...rollout, paused } } };
    return !paused && isStopped ? annotated(changed, ROLLOUT_RESUMED, request) : changed;
  };
  const { outcome, object } = await modify(api, reference, change, (both) =>
    mindGit(api, both, { consent, cli }),
  );
  const said = paused ? 'paused' : 'resumed';
  const prefix = outcome === 'changed' ? '' : paused ? 'already ' : 'not ';
  const why = outcome === 'changed' || paused ? '' : ' (it was neither paused nor stopped)';
  cli.terminal.out(`${qualifiedName(object)} ${prefix}${said}${why}\n`);
}

type Content = NonNullable<Site['spec']['content']>;

/** The content of then; without a word of it, the latest that differs from the present one. */
function contentToRestore(
  { metadata, spec }: Site,
  entries: readonly HistoryEntry[],
  { toGeneration: generation, toRevision: revision }: Then,
): Content {
  // An earlier site of the same name is another site.
  const own = entries.filter((entry) => entry.uid === metadata.uid && entry.change !== 'deleted');
  const wanted = own.findLast((entry) => {
    const release = contentOf(entry.spec)?.release;
    if (generation !== undefined) return entry.generation === generation;
    if (revision !== undefined) return entry.revision <= revision;
    const isEarlier = entry.generation < metadata.generation;
    return isEarlier && release !== undefined && release !== spec.content?.release;
  });
  const content = contentOf(wanted?.spec);
  if (content?.release !== undefined) return content;
  if (generation === undefined && revision === undefined) {
    throw new CommandError('error: no earlier release found in the history');
  }
  const then = revision === undefined ? `generation ${generation}` : `revision ${revision}`;
  const why = wanted === undefined ? 'is not in the history' : 'has no release';
  throw new CommandError(`error: ${then} ${why}`);
}

interface Then {
  readonly toGeneration: number | undefined;
  readonly toRevision: bigint | undefined;
}

function contentOf(spec: unknown): Content | undefined {
  return (spec as Site['spec'] | undefined)?.content;
}

function withContent(site: Site, content: Content): Resource {
  if (site.spec.content?.release === content.release) return site;
  return { ...site, spec: { ...site.spec, content } };
}
