import { type Command, Option } from 'commander';
import type { Event } from '../../api/event.ts';
import type { Resource } from '../../api/object.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Cli } from '../cli.ts';
import { eventsAbout } from '../objects/events.ts';
import { fetchObject, forEachOrFail } from '../objects/objects.ts';
import { parseTargets, referenceOf } from '../objects/targets.ts';
import { renderDescription } from '../render/describe.ts';

interface DescribeOptions {
  readonly selector?: string;
  readonly output?: 'wide';
}

/** `describe TYPE [NAME...] | TYPE/NAME...` */
export function registerDescribe(command: Command, cli: Cli): void {
  command
    .argument('<type>', 'a kind, or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option('-l, --selector <selector>', 'only with these labels: app=blog,tier!=test')
    .addOption(new Option('-o, --output <format>', 'wide: with absolute times').choices(['wide']))
    .addHelpText('after', EXAMPLES)
    .action(async (type: string, names: readonly string[], options: DescribeOptions) => {
      await describe([type, ...names], options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl describe site blog
  b8sctl describe node/fra1
  b8sctl describe certificates -l app=blog`;

/** Shows what the words name; undefined `selector`: all of it. */
export async function describe(
  words: readonly string[],
  { selector, output }: DescribeOptions,
  cli: Cli,
): Promise<void> {
  const targets = parseTargets(words);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  let count = 0;
  const show = async (object: Resource) => {
    const events = await eventsOf(api, object);
    const description = renderDescription(object, events, {
      nowMs: cli.clock.nowMs(),
      columns: cli.terminal.outIsTerminal ? cli.terminal.columns : Number.POSITIVE_INFINITY,
      times: output === 'wide' ? 'absolute' : 'relative',
    });
    cli.terminal.out(`${count === 0 ? '' : '\n\n'}${description}`);
    count += 1;
  };
  if (targets.form === 'names') {
    await forEachOrFail(cli, targets.names, async (target) => {
      await show(await fetchObject(api, referenceOf(target, namespace)));
    });
    return;
  }
  for (const kind of targets.kinds) {
    const { objects } = await api.list({
      kind: kind.kind,
      namespace: kind.scope === 'namespace' ? namespace : '',
      ...(selector !== undefined && { labelSelector: selector }),
    });
    for (const object of objects) await show(object);
  }
  if (count === 0) cli.terminal.error('No resources found\n');
}

async function eventsOf(api: Api, object: Resource): Promise<readonly Event[]> {
  if (object.kind === 'Event') return [];
  return await eventsAbout(api, object);
}
