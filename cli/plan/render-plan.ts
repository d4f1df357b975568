import { kindOf } from '../../api/kinds.ts';
import { formatPath, parsePointer } from '../../api/path.ts';
import { SEALED } from '../../api/secret.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { unifiedDiff } from '../render/unified-diff.ts';
import { renderYaml } from '../render/yaml.ts';
import { fieldChanges, type PlannedChange, type Seen } from './planned.ts';

/** Fields of one object that are shown. */
const FIELDS_MAX = 20;
/** Characters of a value in a line. */
const VALUE_LENGTH_MAX = 60;

const MARKS: ReadonlyMap<string, string> = new Map([
  ...[['create', '+'] as const, ['update', '~'] as const, ['delete', '-'] as const],
  ...[['put back', '~'] as const, ['own', '='] as const, ['keep', '='] as const],
]);

/** The changes for a person, in their order, with their fields; ends with how many there are. */
export function planText(changes: readonly PlannedChange[]): string {
  const lines = changes.flatMap((change) => [headLine(change), ...fieldLines(change)]);
  return `${[...lines, ...(lines.length > 0 ? [''] : []), countLine(changes)].join('\n')}\n`;
}

function headLine({ action, reference, why, place }: PlannedChange): string {
  const mark = MARKS.get(action);
  const name = shownName(reference);
  const words = [
    mark === undefined ? `  . ${name} (${action})` : `  ${mark} ${name}`,
    ...(action === 'put back' ? ['(put back)'] : []),
    ...(place === '' ? [] : [`(${printable(place)})`]),
  ];
  return why === '' ? words.join(' ') : `${words.join(' ')}: ${printable(why)}`;
}

function fieldLines(change: PlannedChange): readonly string[] {
  const { action, before, after, changedValues } = change;
  if (action === 'delete') return [];
  const fields = fieldChanges(before, after).filter(
    ({ pointer }) => change.reference.kind !== 'Secret' || !pointer.startsWith('/spec/data'),
  );
  const lines = [
    ...fields.map(({ pointer, from, to }) => {
      const path = printable(formatPath(parsePointer(pointer)));
      if (from === undefined) return `      + ${path} = ${valueText(to)}`;
      if (to === undefined) return `      - ${path} (was ${valueText(from)})`;
      return `      ~ ${path}: ${valueText(from)} -> ${valueText(to)}`;
    }),
    ...changedValues.map(
      (name) => `      ~ spec.data.${printable(name)}: a value that is not shown`,
    ),
  ];
  const more = lines.length - FIELDS_MAX;
  return more > 0 ? [...lines.slice(0, FIELDS_MAX), `      … ${more} more fields`] : lines;
}

function valueText(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}

function countLine(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return 'Nothing to do: all is as it should be.';
  const count = (...actions: readonly string[]): number =>
    changes.filter(({ action }) => actions.includes(action)).length;
  const others = count('own', 'keep', 'let go', 'hand over');
  const rest = others === 0 ? '' : `, ${others} to note`;
  return `Plan: ${count('create')} to create, ${count('update', 'put back')} to change, ${count('delete')} to delete${rest}.`;
}

/** The changes as patches; what changes no field is told in a line that begins with `#`. */
export function diffText(change: PlannedChange): string {
  const { reference, before, after, action, why } = change;
  const { kind, namespace, name } = reference;
  const isScoped = kindOf(kind)?.scope === 'namespace';
  const path = `${kind.toLowerCase()}.b8s.dev/${isScoped ? `${namespace}/` : ''}${name}`;
  const text = unifiedDiff(
    { name: `live/${path}`, text: comparable(reference, before, []) },
    { name: `merged/${path}`, text: comparable(reference, after, change.changedValues) },
  );
  if (text !== '') return text;
  return printable(`# ${path}: ${action}${why === '' ? '' : `, ${why}`}`).concat('\n');
}

/** What a person declares; the rest changes by itself. */
function comparable(
  { kind, namespace, name }: ObjectReference,
  side: Seen | undefined,
  changedValues: readonly string[],
): string {
  if (side === undefined) return '';
  const { labels, annotations } = side;
  const metadata = {
    name,
    namespace: namespace === '' ? undefined : namespace,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  };
  const spec = kind === 'Secret' ? sealedSpec(side.spec, changedValues) : side.spec;
  return renderYaml({ apiVersion: 'b8s.dev/v1', kind, metadata, spec });
}

function sealedSpec(spec: unknown, changedValues: readonly string[]): unknown {
  const { data = {} } = spec as { readonly data?: Readonly<Record<string, string>> };
  const named = Object.keys(data).map((name) => {
    return [name, changedValues.includes(name) ? `${SEALED.slice(0, -1)}, another value)` : SEALED];
  });
  return { ...(spec as object), data: Object.fromEntries(named) };
}

/** `site.b8s.dev/blog`; of another namespace than "default" with it. */
export function shownName({ kind, namespace, name }: ObjectReference): string {
  const scope = namespace === '' || namespace === 'default' ? '' : ` in ${namespace}`;
  return printable(`${kind.toLowerCase()}.b8s.dev/${name}${scope}`);
}
