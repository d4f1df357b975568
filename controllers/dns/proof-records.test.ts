import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { object } from '../test-scene.ts';
import { withProofs } from './proof-records.ts';
import { recordSets } from './record-sets.ts';
import type { ZoneProof } from './zone-proofs.ts';

const NAME = '_acme-challenge.blog.example.com';

function compiled(records: readonly object[], proofs: readonly ZoneProof[]) {
  const zone: Zone = object('Zone', 'example', { origin: 'example.com', records });
  const hosts = new Set(['site.example.com']);
  const { records: sets, problems } = withProofs(recordSets(zone, [], hosts), {
    ...{ origin: 'example.com', hosts, proofs },
  });
  const lines = sets.map(({ name, type, ttlS, values }) =>
    [name, type, ttlS, values.join(' | ')].join(' '),
  );
  return { lines, problems };
}

function text(value: string, name = NAME): ZoneProof {
  return { kind: 'text', name, value };
}

test.each([
  {
    when: 'nothing else stands there',
    records: [],
    proofs: [text('one')],
    left: [`${NAME} TXT 1 "one"`],
  },
  {
    when: 'a name and its wildcard are proven at once',
    records: [],
    proofs: [text('two'), text('one'), text('two')],
    left: [`${NAME} TXT 1 "two" | "one"`],
  },
  {
    when: 'a person declared a text there: one set has one ttl (RFC 2181 §5.2)',
    records: [{ name: '_acme-challenge.blog', type: 'TXT', ttl: 300, values: ['mine'] }],
    proofs: [text('one')],
    left: [`${NAME} TXT 1 "mine" | "one"`],
  },
  {
    when: 'other types stand there',
    records: [{ name: '_acme-challenge.blog', type: 'MX', values: ['10 mail'] }],
    proofs: [text('one')],
    left: [`${NAME} MX 300 10 mail.example.com.`, `${NAME} TXT 1 "one"`],
  },
  {
    when: 'it is at the origin, where name servers are declared',
    records: [],
    proofs: [text('one', 'example.com')],
    left: ['example.com TXT 1 "one"'],
  },
  {
    when: 'it is a host that leads to edges, which has no records here',
    records: [],
    proofs: [{ kind: 'host', name: 'blog.example.com', token: 't' } as const],
    left: [],
  },
])('a proof is put up when $when', ({ records, proofs, left }) => {
  expect(compiled(records, proofs)).toEqual({ lines: left, problems: [] });
});

test.each([
  {
    when: 'the name is an alias: the CA looks where it leads',
    records: [{ name: '_acme-challenge.blog', type: 'CNAME', values: ['blog.proofs.test.'] }],
    proof: text('one'),
    says: /it has a CNAME: remove that, or lead it to a zone of ours$/,
  },
  {
    when: 'a delegation hides it',
    records: [{ name: 'blog', type: 'NS', values: ['ns.example.net.'] }],
    proof: text('one'),
    says: /for blog\.example\.com is delegated away: declare the record there$/,
  },
  {
    when: 'it is delegated itself',
    records: [{ name: '_acme-challenge.blog', type: 'NS', values: ['ns.example.net.'] }],
    proof: text('one'),
    says: /is delegated away/,
  },
  {
    when: 'it lies outside of the zone',
    records: [],
    proof: text('one', '_acme-challenge.notexample.com'),
    says: /lies outside of example\.com$/,
  },
  {
    when: 'an escaped dot makes it look as if it were inside',
    records: [],
    proof: text('one', 'a\\.example.com'),
    says: /lies outside/,
  },
])('it is left out, with a problem, when $when', ({ records, proof, says }) => {
  const before = compiled(records, []);
  const { lines, problems } = compiled(records, [proof]);
  expect(lines).toEqual(before.lines);
  expect(problems).toHaveLength(before.problems.length + 1);
  expect(problems.at(-1)).toMatch(says);
});

const wild = (name: string, value: string) => ({ name, type: 'A', values: [value] });

test.each([
  {
    when: 'the name has nothing of its own',
    records: [wild('*', '192.0.2.1'), { name: '*', type: 'MX', values: ['10 mail'] }],
    name: '_acme-challenge.blog.example.com',
    copies: [
      '*.blog.example.com A 192.0.2.1',
      '*.blog.example.com MX 10 mail.example.com.',
      'blog.example.com A 192.0.2.1',
      'blog.example.com MX 10 mail.example.com.',
    ],
  },
  {
    when: 'several names are new',
    records: [wild('*', '192.0.2.1')],
    name: '_acme-challenge.a.b.example.com',
    copies: ['*.a.b', '*.b', 'a.b', 'b'].map((each) => `${each}.example.com A 192.0.2.1`),
  },
  {
    when: 'the wildcard is further down, and the other one never stood for it',
    records: [wild('*', '192.0.2.1'), wild('*.b', '192.0.2.2')],
    name: '_acme-challenge.a.b.example.com',
    copies: ['*.a.b', 'a.b'].map((each) => `${each}.example.com A 192.0.2.2`),
  },
  {
    when: 'the name is there: the wildcard never stood for it',
    records: [wild('*', '192.0.2.1'), wild('blog', '192.0.2.9')],
    name: '_acme-challenge.blog.example.com',
    copies: [],
  },
  {
    when: 'it lies above one that is there',
    records: [wild('*', '192.0.2.1'), wild('www.blog', '192.0.2.9')],
    name: '_acme-challenge.blog.example.com',
    copies: [],
  },
  {
    when: 'it is the host of a Site',
    records: [wild('*', '192.0.2.1')],
    name: '_acme-challenge.site.example.com',
    copies: [],
  },
  {
    when: 'the proof is right below the origin',
    records: [wild('*', '192.0.2.1')],
    name: '_acme-challenge.example.com',
    copies: [],
  },
  {
    when: 'the wildcard is elsewhere',
    records: [wild('*.other', '192.0.2.1')],
    name: '_acme-challenge.blog.example.com',
    copies: [],
  },
])('a name that a wildcard stands for answers on, when $when (RFC 4592)', (given) => {
  const { records, name, copies } = given;
  const before = new Set(compiled(records, []).lines);
  const { lines, problems } = compiled(records, [text('one', name), text('two', name)]);
  const added = lines.filter((line) => !before.has(line)).map((line) => line.replace(' 300 ', ' '));
  expect(added).toEqual([...copies, `${name} TXT 1 "one" | "two"`].toSorted());
  expect(problems).toEqual([]);
});

test.each([
  ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(45)].join('.'),
  'with space',
  'a\\000b',
  'x..y',
])('a proof for a name that is none breaks no zone: %j', (label) => {
  const { lines, problems } = compiled([], [text('one', `_acme-challenge.${label}.example.com`)]);
  expect(lines).toEqual([]);
  expect(problems).toHaveLength(1);
});
