import { type Command, Option } from 'commander';
import type { Node } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Cli } from '../cli.ts';
import { fetchObject, findObject } from '../objects/objects.ts';
import { parseNames, referenceOf } from '../objects/targets.ts';
import { renderWhy } from '../render/why.ts';
import { renderJson, renderYaml } from '../render/yaml.ts';
import { type Cause, explainWhy } from '../why/why.ts';
import { keyOf } from '../why/world.ts';

/** Rounds of reading what the chain leads to: more than it can be deep. */
const ROUNDS_MAX = 10;

interface WhyOptions {
  readonly output?: 'json' | 'yaml';
}

/** `why TYPE NAME | TYPE/NAME...` */
export function registerWhy(command: Command, cli: Cli): void {
  command
    .argument('<words...>', 'TYPE NAME or TYPE/NAME')
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json', 'yaml']))
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: WhyOptions) => {
      await why(words, options, cli);
    });
}

const EXAMPLES = `
Follows what is not ready to where it comes from: a site to its certificate, its issuer, the nodes
that it waits for. Each line says what was observed; an arrow says what to do next.

Examples:
  b8sctl why site/blog
  b8sctl why node fra1
  b8sctl why certificate/blog -o json`;

async function why(words: readonly string[], { output }: WhyOptions, cli: Cli): Promise<void> {
  const targets = parseNames(words);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const { terminal } = cli;
  let isFirst = true;
  for (const target of targets) {
    const object = await fetchObject(api, referenceOf(target, namespace));
    const cause = await explain(api, object, cli);
    if (output === 'json') terminal.out(renderJson(cause));
    else if (output === 'yaml') terminal.out(`${isFirst ? '' : '---\n'}${renderYaml(cause)}`);
    else {
      const columns = terminal.outIsTerminal ? terminal.columns : Number.POSITIVE_INFINITY;
      terminal.out(`${isFirst ? '' : '\n'}${renderWhy(cause, columns)}`);
    }
    isFirst = false;
  }
}

/** Reads what the chain leads to, round by round, until it leads nowhere else. */
async function explain(api: Api, object: Resource, cli: Cli): Promise<Cause> {
  const { objects: nodes } = await api.list({ kind: 'Node', namespace: '' });
  const byName = new Map(nodes.map((node) => [node.metadata.name, node as Node]));
  const objects = new Map<string, Resource | undefined>();
  for (let round = 1; ; round += 1) {
    const world = { nodes: byName, objects };
    const { cause, wanted } = explainWhy(object, world, cli.clock.nowMs());
    if (wanted.length === 0 || round === ROUNDS_MAX) return cause;
    for (const reference of wanted) objects.set(keyOf(reference), await findObject(api, reference));
  }
}
