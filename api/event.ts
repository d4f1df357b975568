import { since } from './column.ts';
import {
  COUNT,
  choice,
  type Declared,
  group,
  integer,
  optional,
  statusGroup,
  text,
  time,
} from './field.ts';
import { defineKind } from './kind.ts';
import type { Resource } from './object.ts';
import { check } from './rules.ts';

export const eventSpecSchema = group('What happened.', {
  regarding: group('The object that it happened to.', {
    kind: text('Its kind.'),
    namespace: optional(text('Its namespace; absent for cluster-scoped kinds.')),
    name: text('Its name.'),
    uid: optional(text('Its uid: another object of the same name has another one.')),
  }),
  type: choice('Whether a person should look.', ['Normal', 'Warning']),
  reason: text('What happened, as one CamelCase word for scripts.', { maxLength: 128 }),
  message: text('What happened, as a sentence for people.'),
  source: group('Who saw it.', {
    component: text('The part of b8s, e.g. certificate-controller or sub.'),
    node: optional(text('The machine that saw it; absent: dom.')),
  }),
  count: integer('How often it happened.', { ...COUNT, minimum: 1 }),
  firstTime: time('When it first happened.'),
  lastTime: time('When it last happened.'),
});

export const eventStatusSchema = statusGroup({});

export type EventSpec = Declared<typeof eventSpecSchema>;
export type EventStatus = Declared<typeof eventStatusSchema>;
/** Something that happened to an object; kept 7 days by default. */
export type Event = Resource<EventSpec, EventStatus>;

export const eventKind = defineKind({
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'namespace',
  description: 'Something that happened to an object, from the view of one machine, counted.',
  spec: eventSpecSchema,
  status: eventStatusSchema,
  rules: (event) => [
    ...check(['spec', 'firstTime'], event.spec.firstTime, timeProblem),
    ...check(['spec', 'lastTime'], event.spec.lastTime, timeProblem),
  ],
  columns: [
    { header: 'LAST-SEEN', value: (event, nowMs) => since(event.spec.lastTime, nowMs) },
    { header: 'TYPE', value: (event) => event.spec.type },
    { header: 'REASON', value: (event) => event.spec.reason },
    {
      header: 'OBJECT',
      value: (event) => `${event.spec.regarding.kind.toLowerCase()}/${event.spec.regarding.name}`,
    },
    { header: 'MESSAGE', value: (event) => event.spec.message },
    { header: 'COUNT', wide: true, value: (event) => String(event.spec.count) },
    { header: 'SOURCE', wide: true, value: (event) => formatSource(event.spec.source) },
    { header: 'LAST-TIME', wide: true, value: (event) => event.spec.lastTime },
  ],
});

function formatSource(source: EventSpec['source']): string {
  return source.node === undefined ? source.component : `${source.component}, ${source.node}`;
}

function timeProblem(time: string): string | undefined {
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(time);
  return isRfc3339 && !Number.isNaN(Date.parse(time))
    ? undefined
    : 'must be an RFC 3339 time, e.g. 2026-01-31T12:00:00Z';
}
