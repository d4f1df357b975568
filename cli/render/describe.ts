import type { CertificateStatus } from '../../api/certificate.ts';
import { formatDuration } from '../../api/duration.ts';
import type { Event } from '../../api/event.ts';
import { eventKind } from '../../api/event.ts';
import type { Resource } from '../../api/object.ts';
import { printable } from '../../runtime/printable.ts';
import { renderTable } from './table.ts';
import { renderYaml } from './yaml.ts';

const NONE = '<none>';

/** All about one object, for a person: metadata, spec, status, conditions and its events. */
export function renderDescription(
  object: Resource,
  events: readonly Event[],
  nowMs: number,
): string {
  const { conditions = [], ...rest } = object.status ?? {};
  const { status, tries } =
    object.kind === 'Certificate' ? partTries(rest) : { status: rest, tries: undefined };
  return [
    renderFacts(metadataFacts(object, nowMs)),
    renderBlock('Spec', object.spec),
    renderBlock('Status', status),
    renderRows(
      'Conditions',
      ['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'],
      conditions.map((each) => [
        each.type,
        each.status,
        each.reason,
        ageOf(each.lastTransitionTime, nowMs),
        each.message,
      ]),
    ),
    ...(tries === undefined ? [] : [renderTries(tries, nowMs)]),
    renderEvents(events, nowMs),
  ].join('');
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

function renderTries(tries: Tries, nowMs: number): string {
  return renderRows(
    'Orders',
    ['ENDED', 'TOOK', 'ISSUER', 'OUTCOME', 'DETAIL', 'ORDER'],
    tries.map(({ time, started, issuer, outcome, detail, order = NONE }) => [
      `${ageOf(time, nowMs)} ago`,
      formatDuration(Date.parse(time) - Date.parse(started)),
      issuer,
      outcome,
      detail,
      order,
    ]),
  );
}

function metadataFacts({ kind, metadata }: Resource, nowMs: number): readonly [string, string][] {
  return [
    ['Name', metadata.name],
    ...(metadata.namespace === undefined ? [] : [['Namespace', metadata.namespace] as const]),
    ['Kind', kind],
    ['Labels', pairs(metadata.labels)],
    ['Annotations', pairs(metadata.annotations)],
    ['Created', `${metadata.creationTimestamp} (${ageOf(metadata.creationTimestamp, nowMs)} ago)`],
    ...(metadata.deletionTimestamp === undefined
      ? []
      : [['Deleting since', metadata.deletionTimestamp] as const]),
    ...((metadata.finalizers ?? []).length === 0
      ? []
      : [['Finalizers', (metadata.finalizers ?? []).join(', ')] as const]),
    ...(metadata.ownerReferences ?? []).map(
      (owner) => ['Owned by', `${owner.kind}/${owner.name}`] as const,
    ),
    ['Generation', String(metadata.generation)],
  ].map(([name = '', value = '']) => [name, value]);
}

function renderFacts(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 1;
  return facts
    .map(([name, value]) => `${`${name}:`.padEnd(width)}  ${printable(value)}\n`)
    .join('');
}

function renderBlock(title: string, value: unknown): string {
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isEmpty) return `${title}:  ${NONE}\n`;
  return `${title}:\n${indented(renderYaml(value))}`;
}

function renderRows(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return `${title}:  ${NONE}\n`;
  return `${title}:\n${indented(renderTable(rows, { header }))}`;
}

function renderEvents(events: readonly Event[], nowMs: number): string {
  const columns = eventKind.columns.filter(({ header }) => header !== 'OBJECT');
  return renderRows(
    'Events',
    columns.map(({ header }) => header),
    events.map((event) => columns.map((column) => column.value(event, nowMs))),
  );
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function pairs(values: Readonly<Record<string, string>> = {}): string {
  const keys = Object.keys(values).toSorted();
  return keys.length === 0 ? NONE : keys.map((key) => `${key}=${values[key]}`).join(', ');
}

function ageOf(time: string, nowMs: number): string {
  return formatDuration(nowMs - Date.parse(time));
}
