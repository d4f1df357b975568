import { expect, test } from 'vitest';
import type { Event } from '../../api/event.ts';
import type { Notification } from '../../api/notification.ts';
import type { Resource } from '../../api/object.ts';
import { object } from '../test-scene.ts';
import { fits, fitsPattern } from './filter.ts';

const blog: Resource = object('Site', 'blog', {}, { metadata: { labels: { app: 'blog' } } });
const world = {
  get: (kind: string, { name }: { readonly name: string }) =>
    kind === 'Site' && name === 'blog' ? (blog as never) : undefined,
};

function event(spec: object = {}, regarding: object = {}): Event {
  return object('Event', 'e', {
    regarding: { kind: 'Site', namespace: 'default', name: 'blog', uid: 'u', ...regarding },
    ...{ type: 'Warning', reason: 'NotReady', message: 'm', source: { component: 'c' } },
    ...{ count: 1, firstTime: '', lastTime: '', ...spec },
  });
}

const node = { kind: 'Node', namespace: undefined, name: 'london' };

test.each<{ when: string; events: object; event?: Event; answer: boolean }>([
  { when: 'nothing is said', events: {}, answer: true },
  { when: 'it is Normal', events: {}, event: event({ type: 'Normal' }), answer: false },
  { when: 'all types', events: { type: 'All' }, event: event({ type: 'Normal' }), answer: true },
  { when: 'its kind', events: { kinds: ['Zone', 'Site'] }, answer: true },
  { when: 'another kind', events: { kinds: ['Zone'] }, answer: false },
  { when: 'its name', events: { names: ['blog'] }, answer: true },
  { when: 'a pattern', events: { names: ['shop-*', 'b*g'] }, answer: true },
  { when: 'another name', events: { names: ['blog2'] }, answer: false },
  { when: 'its reason', events: { reasons: ['NotReady'] }, answer: true },
  { when: 'another reason', events: { reasons: ['RolledBack'] }, answer: false },
  { when: 'another namespace', events: {}, event: event({}, { namespace: 'b' }), answer: false },
  {
    when: 'another namespace that is named',
    events: { namespaces: ['b'] },
    event: event({}, { namespace: 'b' }),
    answer: true,
  },
  { when: 'its own is not among those', events: { namespaces: ['b'] }, answer: false },
  {
    when: 'any namespace',
    events: { namespaces: ['*'] },
    event: event({}, { namespace: 'b' }),
    answer: true,
  },
  { when: 'it has none', events: { namespaces: ['b'] }, event: event({}, node), answer: true },
  { when: 'its labels', events: { selector: 'app in (blog,shop)' }, answer: true },
  { when: 'other labels', events: { selector: 'app=shop' }, answer: false },
  {
    when: 'labels of what is gone',
    events: { selector: 'app=blog' },
    event: event({}, { name: 'gone' }),
    answer: false,
  },
  {
    when: 'a kind of another version',
    events: { selector: '!app' },
    event: event({}, { kind: 'Thing' }),
    answer: true,
  },
  {
    when: 'it is the Notification itself',
    events: {},
    event: event({}, { uid: 'uid-notification-ops' }),
    answer: false,
  },
])('$when: $answer', ({ events, event: given = event(), answer }) => {
  const webhook = { url: 'https://example.com/' };
  const notification: Notification = object('Notification', 'ops', { events, webhook });
  expect(fits(world, notification, given)).toBe(answer);
});

test.each([
  { pattern: 'a', name: 'a', answer: true },
  { pattern: '*', name: '', answer: true },
  { pattern: 'a*', name: 'ab', answer: true },
  { pattern: '*b', name: 'ab', answer: true },
  { pattern: 'a*a', name: 'a', answer: false },
  { pattern: 'a*b*c', name: 'axxbxxc', answer: true },
  { pattern: 'a*bb*bc', name: 'abbc', answer: false },
  { pattern: '**', name: 'x', answer: true },
  { pattern: 'a.c', name: 'abc', answer: false },
  { pattern: `${'*a'.repeat(100)}*b`, name: 'a'.repeat(250), answer: false },
])('$pattern and $name: $answer', ({ pattern, name, answer }) => {
  expect(fitsPattern(pattern, name)).toBe(answer);
});
