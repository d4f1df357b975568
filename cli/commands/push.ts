import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Cli } from '../cli.ts';
import { publish, readLocal } from '../content/declared-content.ts';
import { durationOption } from '../flags.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { fetchObject, modify } from '../objects/objects.ts';
import { qualifiedName } from '../render/output.ts';
import {
  assertOwnRelease,
  assertPreviews,
  previewUrl,
  waitForPreview,
} from '../rollout/previews.ts';
import { waitForRollout } from '../rollout/rollout.ts';

interface PushOptions extends GitConsent {
  readonly site: string;
  readonly wait?: true;
  readonly preview?: true;
  /** `false`: --no-cache. */
  readonly cache: boolean;
  readonly timeout: number;
}

const TIMEOUT_MS = 300_000;

/** `push DIR|ARCHIVE --site NAME` */
export function registerPush(command: Command, cli: Cli): void {
  withGitConsent(command)
    .argument('<content>', 'the folder, archive or image to publish')
    .requiredOption('--site <name>', 'the Site to publish it for')
    .option('--no-cache', 'read every file, also those that seem to be as they were')
    .option('--preview', 'at an address of its own only: what the site serves stays as it is')
    .option('--wait', 'until every node serves it')
    .addOption(durationOption('with --wait: for how long at most', TIMEOUT_MS))
    .addHelpText('after', EXAMPLES)
    .action(async (content: string, options: PushOptions) => {
      await push(content, options, cli);
    });
}

const EXAMPLES = `
Archives are .tar, .tar.gz, .tar.zst and .zip files; an image's layers are tar files.
Only what dom lacks is sent; a push that was cut goes on where it ended.

Examples:
  b8sctl push ./public --site blog
  b8sctl push site.tar.gz --site blog
  b8sctl push oci://registry.example.com/blog:v7 --site blog
  b8sctl push ./public --site blog --wait --timeout 2m
  b8sctl push ./public --site blog --preview`;

async function push(content: string, options: PushOptions, cli: Cli): Promise<void> {
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const reference = { kind: 'Site', namespace, name: options.site };
  // Before the upload: a wrong name must not cost minutes.
  const site = (await fetchObject(api, reference)) as Site;
  if (options.preview === true) assertPreviews(site);
  const release = await readLocal(cli, content, { memory: options.cache ? 'cache' : 'none' });
  const wanted = withRelease(site, release.digest);
  if (options.preview !== true)
    await mindGit(api, { live: site, wanted }, { consent: options, cli });
  const { uid } = site.metadata;
  await publish(api, release, { site: { namespace, name: options.site, uid }, cli });
  if (options.preview === true) return preview(site, release.digest, { api, options, cli });
  const { outcome, object } = await modify(api, reference, (current) =>
    withRelease(current as Site, release.digest),
  );
  const said = outcome === 'changed' ? `released ${release.digest}` : 'unchanged';
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
  const url = previewUrl(object as Site, release.digest);
  if (url !== undefined) cli.terminal.out(`preview: ${url}\n`);
  if (options.wait === true) await waitForRollout(api, reference, options.timeout, cli);
}

/** Who has published it for the Site is enough for dom to give it an address. */
async function preview(
  site: Site,
  release: string,
  { api, options, cli }: { readonly api: Api; readonly options: PushOptions; readonly cli: Cli },
): Promise<void> {
  const { namespace = '', name } = site.metadata;
  const timeoutMs = options.timeout;
  await assertOwnRelease(api, site, release);
  cli.terminal.out(`preview: ${previewUrl(site, release)}\n`);
  if (options.wait !== true) return;
  await waitForPreview(api, { kind: 'Site', namespace, name }, { release, timeoutMs }, cli);
}

function withRelease(site: Site, release: string): Resource {
  if (site.spec.content?.release === release) return site;
  return { ...site, spec: { ...site.spec, content: { release } } };
}
