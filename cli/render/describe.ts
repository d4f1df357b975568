import type { CertificateStatus } from '../../api/certificate.ts';
import { NONE } from '../../api/column.ts';
import { formatDuration } from '../../api/duration.ts';
import { type Event, eventKind } from '../../api/event.ts';
import type { Condition, Resource } from '../../api/object.ts';
import { printable } from '../../runtime/printable.ts';
import { factsOf } from '../why/facts.ts';
import { problemsOf } from '../why/problems.ts';
import { renderTable } from './table.ts';
import { renderYaml } from './yaml.ts';

export interface DescribeStyle {
  readonly nowMs: number;
  /** Of the terminal; Infinity: nothing is wrapped. */
  readonly columns: number;
  /** `relative`: "4m ago"; `absolute`: RFC 3339. */
  readonly times: 'relative' | 'absolute';
}

/**
 * All about one object, as a page to act on: what it is, what does not hold and what to do next,
 * what happened, and below that what was declared and observed.
 */
export function renderDescription(
  object: Resource,
  events: readonly Event[],
  style: DescribeStyle,
): string {
  const { conditions = [], ...rest } = object.status ?? {};
  const { status, tries } =
    object.kind === 'Certificate' ? partTries(rest) : { status: rest, tries: undefined };
  return [
    renderFacts(metadataFacts(object, style), style),
    renderConditions(conditions, style),
    renderNext(object, style),
    ...(tries === undefined ? [] : [renderTries(tries, style)]),
    ...(object.kind === 'Event' ? [] : [renderEvents(events, style)]),
    renderBlock('Spec', object.spec),
    renderBlock('Status', status),
  ].join('');
}

/** What does not hold comes first. */
function renderConditions(conditions: readonly Condition[], style: DescribeStyle): string {
  const sorted = conditions.toSorted(
    (a, b) => Number(a.status === 'True') - Number(b.status === 'True'),
  );
  return renderRows(
    'Conditions',
    ['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'],
    sorted.map((each) => [
      each.type,
      each.status,
      each.reason,
      timeOf(each.lastTransitionTime, style, ''),
      each.message,
    ]),
    style,
  );
}

/** What holds it up, when it is tried again, and who tells more; nothing where all is well. */
function renderNext(object: Resource, style: DescribeStyle): string {
  const { nextTry } = (object.status ?? {}) as { readonly nextTry?: string };
  const facts = factsOf(object, style.nowMs);
  const name = `${object.kind.toLowerCase()}/${object.metadata.name}`;
  const lines = [
    ...facts.map(({ evidence, next }) => (next === undefined ? evidence : `${evidence}: ${next}`)),
    ...(nextTry === undefined ? [] : [`it is tried again ${timeOf(nextTry, style, '')}`]),
    ...(problemsOf(object).length === 0 ? [] : [`b8sctl why ${name} tells where it comes from`]),
  ];
  if (lines.length === 0) return '';
  return `Next:\n${lines.map((line) => `  ${printable(line)}\n`).join('')}`;
}

type Tries = NonNullable<CertificateStatus['tries']>;

/** As YAML the history of orders would hide the rest. */
function partTries(status: CertificateStatus): {
  readonly status: CertificateStatus;
  readonly tries: Tries | undefined;
} {
  const { tries, ...rest } = status;
  return { status: rest, tries };
}

function renderTries(tries: Tries, style: DescribeStyle): string {
  return renderRows(
    'Orders',
    ['ENDED', 'TOOK', 'ISSUER', 'OUTCOME', 'ORDER', 'DETAIL'],
    tries.map(({ time, started, issuer, outcome, detail, order = NONE }) => [
      timeOf(time, style, ' ago'),
      formatDuration(Date.parse(time) - Date.parse(started)),
      ...[issuer, outcome, order, detail],
    ]),
    style,
  );
}

type Fact = readonly [name: string, value: string];

function metadataFacts({ kind, metadata }: Resource, style: DescribeStyle): readonly Fact[] {
  const { name, namespace, labels, annotations, ownerReferences = [] } = metadata;
  const { creationTimestamp, deletionTimestamp, finalizers = [], generation } = metadata;
  const created = formatDuration(style.nowMs - Date.parse(creationTimestamp));
  return [
    ['Name', name],
    ...(namespace === undefined ? [] : [['Namespace', namespace] as const]),
    ['Kind', kind],
    ['Labels', pairs(labels)],
    ['Annotations', pairs(annotations)],
    ['Created', `${creationTimestamp} (${created} ago)`],
    ...(deletionTimestamp === undefined ? [] : [['Deleting since', deletionTimestamp] as const]),
    ...(finalizers.length === 0 ? [] : [['Finalizers', finalizers.join(', ')] as const]),
    ...ownerReferences.map((owner) => ['Owned by', `${owner.kind}/${owner.name}`] as const),
    ['Generation', String(generation)],
  ];
}

/** Values are wrapped at words, so that a long list of hosts in an annotation does not run on. */
function renderFacts(facts: readonly Fact[], { columns }: DescribeStyle): string {
  const rows = facts.map(([name, value]) => [`${name}:`, value]);
  return renderTable(rows, { columns, last: 'wrap' });
}

function renderBlock(title: string, value: unknown): string {
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isEmpty) return `${title}:  ${NONE}\n`;
  return `${title}:\n${indented(renderYaml(value))}`;
}

const INDENT = '  ';

function renderRows(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  style: DescribeStyle,
): string {
  if (rows.length === 0) return `${title}:  ${NONE}\n`;
  const columns = style.columns - INDENT.length;
  return `${title}:\n${indented(renderTable(rows, { header, columns, last: 'wrap' }))}`;
}

function renderEvents(events: readonly Event[], style: DescribeStyle): string {
  return renderRows(
    'Events',
    ['LAST-SEEN', 'COUNT', 'TYPE', 'REASON', 'SOURCE', 'MESSAGE'],
    events.map((event) => {
      const { lastTime, count, type, reason, message } = event.spec;
      const source = eventKind.columns.find(({ header }) => header === 'SOURCE');
      return [
        ...[timeOf(lastTime, style, ''), String(count), type, reason],
        ...[source?.value(event, style.nowMs) ?? '', message],
      ];
    }),
    style,
  );
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, INDENT);
}

function pairs(values: Readonly<Record<string, string>> = {}): string {
  const keys = Object.keys(values).toSorted();
  return keys.length === 0 ? NONE : keys.map((key) => `${key}=${values[key]}`).join(', ');
}

/** How long ago it was, or in how long it will be. */
function timeOf(time: string, { nowMs, times }: DescribeStyle, suffix: string): string {
  if (times === 'absolute') return time;
  const inMs = Date.parse(time) - nowMs;
  return inMs > 0 ? `in ${formatDuration(inMs)}` : `${formatDuration(-inMs)}${suffix}`;
}
