import { describe, expect, test } from 'vitest';
import {
  ask,
  lines,
  opt,
  queryBytes,
  records,
  SERIAL,
  snapshotOf,
  zonePlan,
} from '../dns.fixture.ts';
import { parseName, ROOT } from '../message/name.ts';
import { resolve } from '../resolve.ts';
import { typesAt } from '../zone/zone.ts';
import { askFor, type Said, whole } from './rfc.fixture.ts';

const soa = (origin: string): string =>
  `${origin} SOA ns1.${origin} hostmaster.${origin} ${SERIAL} 3600 600 86400 300`;
const DS = '12345 13 2 3490A6806D47F17A34C29E2CE80E8A999FFBE4BE04D4D4D2C1D9A0D2E2F4A1B0';

const parent = zonePlan('p.test', {
  records: [
    records('p.test', 'NS', 'ns1.p.test'),
    records('ns1.p.test', 'A', '192.0.2.1'),
    // Name servers inside, beside, above and outside of what they serve.
    records('in.p.test', 'NS', 'ns.in.p.test', 'ns.deep.in.p.test'),
    records('ns.in.p.test', 'A', '192.0.2.10'),
    records('ns.in.p.test', 'AAAA', '2001:db8::10'),
    records('ns.deep.in.p.test', 'A', '192.0.2.11'),
    records('beside.p.test', 'NS', 'ns.in.p.test', 'ns1.p.test', 'ns.elsewhere.test'),
    records('ds.p.test', 'NS', 'ns.elsewhere.test'),
    records('ds.p.test', 'DS', DS),
    // Data below a delegation is not ours, whatever the zone says.
    records('www.in.p.test', 'A', '192.0.2.66'),
    records('mx.p.test', 'MX', '10 www.in.p.test', '20 ns1.p.test'),
    records('below.ds.p.test', 'NS', 'ns1.p.test'),
  ],
});

const inside = {
  authorities: ['in.p.test NS ns.in.p.test', 'in.p.test NS ns.deep.in.p.test'],
  additionals: [
    'ns.in.p.test A 192.0.2.10',
    'ns.in.p.test AAAA 2001:db8::10',
    'ns.deep.in.p.test A 192.0.2.11',
  ],
};

describe('RFC 1034 §4.2.1 and §4.3.2 step 3b: delegations and what lies below them', () => {
  const snapshot = snapshotOf({ zones: [parent] });
  test.each<{ name: string; type: string } & Said>([
    { name: 'in.p.test', type: 'A', aa: false, ...inside },
    { name: 'in.p.test', type: 'NS', aa: false, ...inside },
    { name: 'in.p.test', type: 'SOA', aa: false, ...inside },
    { name: 'in.p.test', type: 'ANY', aa: false, ...inside },
    // Glue is not an answer, nor is other data below the cut.
    { name: 'ns.in.p.test', type: 'A', aa: false, ...inside },
    { name: 'www.in.p.test', type: 'A', aa: false, ...inside },
    { name: 'no.such.in.p.test', type: 'A', aa: false, ...inside },
    { name: 'deep.in.p.test', type: 'TXT', aa: false, ...inside },
    // RFC 9471 §3.2: what is beside comes along; what is elsewhere is not ours to tell.
    {
      name: 'x.beside.p.test',
      type: 'A',
      aa: false,
      authorities: [
        'beside.p.test NS ns.in.p.test',
        'beside.p.test NS ns1.p.test',
        'beside.p.test NS ns.elsewhere.test',
      ],
      additionals: [
        'ns.in.p.test A 192.0.2.10',
        'ns.in.p.test AAAA 2001:db8::10',
        'ns1.p.test A 192.0.2.1',
      ],
    },
    // RFC 2181 §5.4.1: glue helps in referrals, and is no data beside an answer.
    {
      name: 'mx.p.test',
      type: 'MX',
      answers: ['mx.p.test MX 10 www.in.p.test', 'mx.p.test MX 20 ns1.p.test'],
      additionals: ['ns1.p.test A 192.0.2.1'],
    },
    {
      name: 'x.below.ds.p.test',
      type: 'A',
      aa: false,
      authorities: ['ds.p.test NS ns.elsewhere.test'],
    },
  ])('$name $type', ({ name, type, ...expected }) => {
    expect(askFor(snapshot, name, type)).toEqual(whole(expected));
  });
});

describe('RFC 4035 §3.1.4.1: DS is data of the parent', () => {
  const alone = snapshotOf({ zones: [parent] });
  const child = zonePlan('in.p.test', { records: [records('in.p.test', 'NS', 'ns.in.p.test')] });
  const signedChild = zonePlan('ds.p.test');
  const both = snapshotOf({ zones: [parent, child, signedChild] });
  const childAlone = snapshotOf({ zones: [child] });
  const asked = (snapshot: typeof alone, name: string): unknown => {
    const { rcode, aa, answers, authorities } = askFor(snapshot, name, 'DS');
    const shown = answers.map((line) => line.split(' ').slice(0, 2).join(' '));
    return { rcode, aa, answers: shown, authorities };
  };

  test.each([
    { when: 'it is there', zones: alone, name: 'ds.p.test', answers: ['ds.p.test DS'] },
    { when: 'the child is ours, too', zones: both, name: 'ds.p.test', answers: ['ds.p.test DS'] },
    {
      when: 'there is none: the parent says so',
      zones: alone,
      name: 'in.p.test',
      authorities: [soa('p.test')],
    },
    {
      when: 'there is none, and the child is ours, too',
      zones: both,
      name: 'in.p.test',
      authorities: [soa('p.test')],
    },
    {
      when: 'only the child is ours: it can but say that it has none',
      zones: childAlone,
      name: 'in.p.test',
      authorities: [soa('in.p.test')],
    },
    {
      when: 'below the delegation it is the child’s affair',
      zones: alone,
      name: 'x.ds.p.test',
      aa: false,
      authorities: ['ds.p.test NS ns.elsewhere.test'],
    },
    {
      when: 'at the top of all our zones',
      zones: both,
      name: 'p.test',
      authorities: [soa('p.test')],
    },
  ])('$when', ({ zones, name, aa = true, answers = [], authorities = [] }) => {
    expect(asked(zones, name)).toEqual({ rcode: 'NOERROR', aa, answers, authorities });
  });

  test('RFC 8020 §2: a parent that does not know of a child of ours does not deny it', () => {
    const unaware = zonePlan('p.test', {
      records: [records('p.test', 'NS', 'ns1.p.test'), records('*.p.test', 'A', '192.0.2.1')],
    });
    const lost = zonePlan('lost.p.test', { records: [records('lost.p.test', 'NS', 'ns1.p.test')] });
    const snapshot = snapshotOf({ zones: [unaware, lost] });
    expect(asked(snapshot, 'lost.p.test')).toEqual({
      ...{ rcode: 'NOERROR', aa: true, answers: [] },
      authorities: [soa('p.test')],
    });
    // For whoever proves it: a delegation without DS, not a name of the parent.
    const question = { name: parseName('lost.p.test') ?? ROOT, type: 43 };
    const vantage = { address: new Uint8Array(4), knownBits: 32 };
    const { denial } = resolve(snapshot, question, vantage).reply;
    expect(denial?.kind === 'nodata' && typesAt(denial.node)).toEqual([2]);
  });

  test('the child answers for all else at its origin', () => {
    expect(askFor(both, 'in.p.test', 'NS')).toMatchObject({
      aa: true,
      answers: ['in.p.test NS ns.in.p.test'],
    });
  });
});

describe('RFC 9471 §3: glue that does not fit', () => {
  /** `inside` name servers need glue, `beside` ones can be asked for. */
  const world = (inside: number, beside: number) => {
    const names = (count: number, under: string): readonly string[] =>
      Array.from({ length: count }, (_, index) => `name-server-number-${index}.${under}`);
    const [near, far] = [names(inside, 'cut.t'), names(beside, 'pool.t')];
    const addresses = (host: string) => [
      records(host, 'A', '192.0.2.1'),
      records(host, 'AAAA', '2001:db8::1'),
    ];
    return snapshotOf({
      zones: [
        zonePlan('t', {
          records: [
            records('cut.t', 'NS', ...near, ...far),
            ...[...near, ...far].flatMap(addresses),
          ],
        }),
      ],
    });
  };
  test.each([
    { when: 'all fits', inside: 3, beside: 0, tc: false, glue: 6 },
    { when: 'glue from inside does not fit: TC', inside: 7, beside: 0, tc: true, glue: 0 },
    { when: 'it fits a larger message', inside: 7, beside: 0, size: 1232, tc: false, glue: 14 },
    { when: 'only glue from beside is left out: no TC', inside: 1, beside: 8, tc: false, glue: 4 },
  ])('$when', ({ inside, beside, size, tc, glue }) => {
    const given = size === undefined ? {} : opt([], { udpPayloadSize: size });
    const reply = ask(world(inside, beside), queryBytes('www.cut.t', 'A', given));
    const shown = lines(reply.additionals?.filter(({ type }) => type !== 'OPT'));
    expect([reply.flag_tc, shown.length >= glue]).toEqual([tc, true]);
    if (!tc) expect(reply.authorities).toHaveLength(inside + beside);
  });

  test('more glue from inside than helpful addresses are ever added', () => {
    const client = { address: '192.0.2.9', transport: 'tcp' } as const;
    const reply = ask(world(40, 0), queryBytes('www.cut.t', 'A'), client);
    expect(reply.additionals).toHaveLength(80);
  });
});
