import { expect, test } from 'vitest';
import { ask, lines, queryBytes } from './dns.fixture.ts';
import { snapshot } from './example.fixture.ts';

const shown = { ...snapshot, identity: { version: 'b8s 1.2.3', name: 'berlin' } };
const chaos = (name: string, type = 'TXT'): Buffer => {
  const query = queryBytes(name, type);
  query.writeUInt16BE(3, query.length - 2);
  return query;
};

test.each([
  { name: 'version.bind', text: 'b8s 1.2.3' },
  { name: 'version.server', text: 'b8s 1.2.3' },
  { name: 'id.server', text: 'berlin' },
  { name: 'hostname.bind', text: 'berlin' },
  { name: 'ID.Server', text: 'berlin' },
])('RFC 4892 §2: $name in class CHAOS, if it is to be told', ({ name, text }) => {
  const reply = ask(shown, chaos(name));
  expect([reply.rcode, reply.flag_aa, lines(reply.answers)]).toEqual([
    'NOERROR',
    true,
    [`${name} TXT ${text}`],
  ]);
  expect(reply.answers?.[0]).toMatchObject({ class: 'CH', ttl: 0 });
});

test.each([
  { when: 'nobody said that it is to be told', world: snapshot, query: chaos('version.bind') },
  { when: 'another name', world: shown, query: chaos('authors.bind') },
  { when: 'another type', world: shown, query: chaos('version.bind', 'A') },
  { when: 'a name of ours, in a class that is not', world: shown, query: chaos('example.com') },
  { when: 'class IN', world: shown, query: queryBytes('version.bind', 'TXT') },
])('refused: $when', ({ world, query }) => {
  const reply = ask(world, query);
  expect([reply.rcode, reply.answers]).toEqual(['REFUSED', []]);
});
