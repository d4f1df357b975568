import { type Command, InvalidArgumentError } from 'commander';
import { type Event, eventKind } from '../../api/event.ts';
import { DEFAULT_NAMESPACE } from '../../api/object.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import type { Cli } from '../cli.ts';
import { byTime, isAbout } from '../events.ts';
import { objectTable } from '../render/output.ts';
import { parseName, referenceOf } from '../targets.ts';

interface EventsOptions {
  readonly for?: string;
  readonly watch?: true;
  readonly allNamespaces?: true;
  readonly types?: readonly string[];
  /** `false`: --no-headers. */
  readonly headers?: boolean;
}

/** `events [--for TYPE/NAME] [-w]` */
export function registerEvents(command: Command, cli: Cli): void {
  command
    .option('--for <object>', 'only about this object: TYPE/NAME')
    .option('-w, --watch', 'go on with every new one, until Ctrl-C')
    .option('--types <types>', 'only of these types: Normal, Warning', eventTypesOf)
    .option('--no-headers', 'without the first line')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addHelpText('after', EXAMPLES)
    .action(async (options: EventsOptions) => {
      await events(options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl events                    of the namespace, the latest last
  b8sctl events --for site/blog    about one object
  b8sctl events --for node/fra1 -w
  b8sctl events -w --types=Warning -A`;

const TYPES = ['Normal', 'Warning'] as const;

function eventTypesOf(text: string): readonly string[] {
  return text.split(',').map((word) => {
    const type = TYPES.find((each) => each.toLowerCase() === word.trim().toLowerCase());
    if (type === undefined) throw new InvalidArgumentError('There are Normal and Warning.');
    return type;
  });
}

async function events(options: EventsOptions, cli: Cli): Promise<void> {
  const about = options.for === undefined ? undefined : await referenceFor(options.for, cli);
  const namespace = await namespaceToRead(options, about, cli);
  const api = await cli.api();
  const { objects, revision } = await api.list({ kind: 'Event', namespace });
  const { types } = options;
  const wanted = (event: Event) =>
    (about === undefined || isAbout(event, about)) && types?.includes(event.spec.type) !== false;
  const found = byTime(objects as readonly Event[]).filter(wanted);
  const withNamespace = options.allNamespaces === true;
  const table = objectTable(eventKind, {
    ...{ wide: true, withNamespace, withKind: false },
    ...(options.headers === false && { header: 'none' }),
  });
  if (found.length > 0) cli.terminal.out(table.render(found, cli.clock.nowMs()));
  else if (options.watch !== true) cli.terminal.error('No events found\n');
  if (options.watch !== true) return;
  const query = { kind: 'Event', namespace, afterRevision: revision };
  for await (const change of api.watch(query, cli.signal)) {
    if (change.type === 'synced' || change.type === 'deleted') continue;
    const event = change.object as Event;
    if (wanted(event)) cli.terminal.out(table.render([event], cli.clock.nowMs()));
  }
}

async function referenceFor(word: string, cli: Cli): Promise<ObjectReference> {
  return referenceOf(parseName([word]), await cli.namespace());
}

async function namespaceToRead(
  options: EventsOptions,
  about: ObjectReference | undefined,
  cli: Cli,
): Promise<string> {
  if (options.allNamespaces === true) return '';
  // Events about cluster-scoped objects lie in the default namespace.
  return about?.namespace === '' ? DEFAULT_NAMESPACE : await cli.namespace();
}
