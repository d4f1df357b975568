import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Event, eventKind } from '../../api/event.ts';
import type { Column } from '../../api/kind.ts';
import { DEFAULT_NAMESPACE } from '../../api/object.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { byTime, isAbout } from '../objects/events.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import {
  namespaceColumn,
  objectTable,
  renderDocument,
  withoutManagedFields,
} from '../render/output.ts';

interface EventsOptions {
  readonly for?: string;
  readonly watch?: true;
  readonly allNamespaces?: true;
  readonly types?: readonly string[];
  readonly output?: 'wide' | 'json' | 'yaml';
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
    .addOption(
      new Option('-o, --output <format>', 'wide: with absolute times, counts and sources').choices([
        ...['wide', 'json', 'yaml'],
      ]),
    )
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
  const show = shower(options, cli);
  if (found.length > 0) show(found);
  else if (options.watch !== true) cli.terminal.error('No events found\n');
  if (options.watch !== true) return;
  const query = { kind: 'Event', namespace, afterRevision: revision };
  for await (const change of api.watch(query, cli.signal)) {
    if (change.type === 'synced' || change.type === 'deleted') continue;
    const event = change.object as Event;
    if (wanted(event)) show([event]);
  }
}

/** What prints events, those that come later below the earlier ones. */
function shower(
  { output, headers, allNamespaces }: EventsOptions,
  { terminal, clock }: Cli,
): (events: readonly Event[]) => void {
  if (output === 'json' || output === 'yaml') {
    const shown = (events: readonly Event[]) => events.map(withoutManagedFields);
    return (events) => terminal.out(renderDocument({ kind: output }, shown(events), 'list'));
  }
  const own = eventKind.columns.filter(({ wide }) => output === 'wide' || wide !== true);
  const columns = [...(allNamespaces === true ? [namespaceColumn] : []), ...messageLast(own)];
  const table = objectTable(eventKind, {
    ...{ wide: output === 'wide', withNamespace: false, withKind: false, columns, last: 'wrap' },
    ...(headers === false && { header: 'none' }),
    ...(output !== 'wide' && terminal.outIsTerminal && { fit: terminal.columns }),
  });
  return (events) => terminal.out(table.render(events, clock.nowMs()));
}

/** The longest, which is what people came for: it goes on below where the terminal ends. */
function messageLast(columns: readonly Column[]): readonly Column[] {
  const isMessage = ({ header }: Column) => header === 'MESSAGE';
  return [...columns.filter((each) => !isMessage(each)), ...columns.filter(isMessage)];
}

async function referenceFor(word: string, cli: Cli): Promise<ObjectReference> {
  if (!word.includes('/')) throw new CommandError(`error: --for "${word}" is not TYPE/NAME`);
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
