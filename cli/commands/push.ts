import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Cli } from '../cli.ts';
import { hashFolder } from '../content.ts';
import { publish } from '../declared-content.ts';
import { durationMsOf } from '../flags.ts';
import { fetchObject, modify } from '../objects.ts';
import { progressOn } from '../progress.ts';
import { qualifiedName } from '../render/output.ts';
import { waitForRollout } from '../rollout.ts';

interface PushOptions {
  readonly site: string;
  readonly wait?: true;
  readonly timeout: number;
}

const TIMEOUT_MS = 300_000;

/** `push DIR --site NAME` */
export function registerPush(command: Command, cli: Cli): void {
  command
    .argument('<folder>', 'the folder to publish')
    .requiredOption('--site <name>', 'the Site to publish it for')
    .option('--wait', 'until every node serves it')
    .option('--timeout <duration>', 'with --wait: for how long at most', durationMsOf, TIMEOUT_MS)
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, options: PushOptions) => {
      await push(folder, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl push ./public --site blog
  b8sctl push ./public --site blog --wait --timeout 2m`;

async function push(folder: string, options: PushOptions, cli: Cli): Promise<void> {
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const reference = { kind: 'Site', namespace, name: options.site };
  // Before the upload: a wrong name must not cost minutes.
  await fetchObject(api, reference);
  const progress = progressOn(cli.terminal, cli.clock);
  const release = await hashFolder(cli.files, folder, { progress, signal: cli.signal });
  await publish(api, release, { site: reference, cli });
  const { outcome, object } = await modify(api, reference, (site) =>
    withRelease(site as Site, release.digest),
  );
  const said = outcome === 'changed' ? `released ${release.digest}` : 'unchanged';
  cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
  if (options.wait === true) await waitForRollout(api, reference, options.timeout, cli);
}

function withRelease(site: Site, release: string): Resource {
  if (site.spec.content?.release === release) return site;
  return { ...site, spec: { ...site.spec, content: { release } } };
}
