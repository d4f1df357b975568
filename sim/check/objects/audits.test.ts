import { expect, test } from 'vitest';
import { HISTORY_PREFIX } from '../../../runtime/store/keys.ts';
import type { Write } from '../../../runtime/store/store.ts';
import { keyOfObject, object, putObject, record, Scene } from '../scene.fixture.ts';
import { auditsCheck } from './audits.ts';

const first = object('Site', 'blog', { spec: { ttl: 1 } });
const second = object('Site', 'blog', { spec: { ttl: 2 }, generation: 2 });
const marked = object('Site', 'blog', { spec: { ttl: 1 }, deletionTimestamp: 'now' });
const event = object('Event', 'e');
const created: readonly Write[] = [putObject(first), record(first, 'created')];
const gone: Write = { kind: 'delete', key: keyOfObject(first) };

test.each<{ when: string; commits: readonly (readonly Write[])[]; violated: number }>([
  {
    when: 'an object is created, changed and deleted',
    commits: [
      created,
      [putObject(second), record(second, 'configured')],
      [gone, record(second, 'deleted')],
    ],
    violated: 0,
  },
  {
    when: 'it is marked first, and goes later',
    commits: [created, [putObject(marked), record(marked, 'deleted')], [gone]],
    violated: 0,
  },
  {
    when: 'a status is written',
    commits: [created, [putObject(object('Site', 'blog', { ...first, status: {} }))]],
    violated: 0,
  },
  { when: 'an Event comes and goes', commits: [[putObject(event)]], violated: 0 },
  { when: 'nobody notes a creation', commits: [[putObject(first)]], violated: 1 },
  { when: 'nobody notes a change', commits: [created, [putObject(second)]], violated: 1 },
  { when: 'nobody notes a deletion', commits: [created, [gone]], violated: 1 },
  {
    when: 'a change is noted twice',
    commits: [[...created, record(first, 'created', { id: 'again' })]],
    violated: 1,
  },
  {
    when: 'a change is noted in another transaction',
    commits: [[putObject(first)], [record(first, 'created')]],
    violated: 2,
  },
  {
    when: 'the record is of another uid',
    commits: [[putObject(first), record(first, 'created', { uid: 'x' })]],
    violated: 1,
  },
  {
    when: 'the record is of another generation',
    commits: [[putObject(first), record(first, 'created', { generation: 2 })]],
    violated: 1,
  },
  {
    when: 'the record shows another spec',
    commits: [[putObject(first), record(first, 'created', { spec: {} })]],
    violated: 1,
  },
  {
    when: 'the record says something else',
    commits: [[putObject(first), record(first, 'deleted')]],
    violated: 1,
  },
  {
    when: 'the record does not say by whom',
    commits: [[putObject(first), record(first, 'created', { author: { manager: '', user: '' } })]],
    violated: 1,
  },
  {
    when: 'a record is overwritten',
    commits: [created, [record(first, 'created')]],
    violated: 1,
  },
  {
    when: 'a record is deleted',
    commits: [
      created,
      [{ kind: 'delete', key: `${HISTORY_PREFIX}sites/default/blog/1-1-created` }],
    ],
    violated: 1,
  },
])('INV-37 when $when', ({ commits, violated }) => {
  const scene = new Scene();
  scene.watch(auditsCheck(scene.ports, scene.changes));
  for (const writes of commits) scene.commit(writes);
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 37));
});
