import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { object } from '../test-scene.ts';
import { withProofs } from './proof-records.ts';
import { recordSets } from './record-sets.ts';
import type { ZoneProof } from './zone-proofs.ts';

const NAME = '_acme-challenge.blog.example.com';

function compiled(records: readonly object[], proofs: readonly ZoneProof[]) {
  const zone: Zone = object('Zone', 'example', { origin: 'example.com', records });
  const { records: sets, problems } = withProofs(
    recordSets(zone, [], new Set()),
    'example.com',
    proofs,
  );
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
