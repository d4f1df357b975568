import { expect, test } from 'vitest';
import { countedRandom } from '../../fake-random.fixture.ts';
import {
  readAuthorization,
  readDirectory,
  readOrder,
  readProblem,
  readRenewalInfo,
} from './answers.ts';
import { type Fields, parseFields } from './read-json.ts';
import { urlProblemFor } from './urls.ts';

const urlProblem = urlProblemFor('https://ca.test/dir');
const problem = { type: 'urn:ietf:params:acme:error:dns', detail: 'none', subproblems: [{}] };
const challenge = { type: 'http-01', url: 'https://ca.test/c', status: 'pending', token: 'abc' };

/** Answers as a CA gives them, and what reads them. */
const ANSWERS: readonly { readonly answer: object; readonly read: (fields: Fields) => unknown }[] =
  [
    {
      answer: {
        status: 'valid',
        expires: '2026-12-01T00:00:00Z',
        identifiers: [{ type: 'dns', value: 'a.test' }],
        authorizations: ['https://ca.test/a'],
        finalize: 'https://ca.test/f',
        certificate: 'https://ca.test/c',
        error: problem,
      },
      read: (fields) => readOrder(fields, 'https://ca.test/o', 1_000, urlProblem),
    },
    {
      answer: {
        status: 'pending',
        expires: '2026-12-01T00:00:00Z',
        identifier: { type: 'dns', value: 'a.test' },
        wildcard: true,
        challenges: [challenge, { ...challenge, error: problem }],
      },
      read: (fields) => readAuthorization(fields, 'https://ca.test/a', undefined, urlProblem),
    },
    {
      answer: {
        newNonce: 'https://ca.test/1',
        newAccount: 'https://ca.test/2',
        newOrder: 'https://ca.test/3',
        revokeCert: 'https://ca.test/4',
        keyChange: 'https://ca.test/5',
        renewalInfo: 'https://ca.test/6',
        meta: { caaIdentities: ['ca.test'], profiles: { a: 'b' }, externalAccountRequired: true },
      },
      read: readDirectory,
    },
    {
      answer: {
        suggestedWindow: { start: '2026-12-01T00:00:00Z', end: '2026-12-02T00:00:00Z' },
        explanationURL: 'https://ca.test/why',
      },
      read: (fields) => readRenewalInfo(fields, undefined),
    },
    { answer: problem, read: readProblem },
  ];
const VALUES = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  '\u0000',
  [],
  [[]],
  {},
  { a: 1 },
  'a'.repeat(5_000),
];
const KEYS = ['__proto__', 'constructor', 'toString', 'toJSON', ''];
const ROUNDS = 4_000;

test('as they are, all of them can be read', () => {
  for (const { answer, read } of ANSWERS) read(parse(answer));
});

test('changed anywhere, they are read or refused with a sentence, and nothing else', () => {
  const random = countedRandom(1);
  const pick = <Value>(values: readonly Value[]): Value | undefined =>
    values[Math.floor(random.next() * values.length)];
  let refused = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { answer, read } = ANSWERS[round % ANSWERS.length] ?? { answer: {}, read: readProblem };
    const changed = structuredClone(answer);
    const changes = 1 + Math.floor(random.next() * 3);
    for (let change = 0; change < changes; change += 1) changeOne(changed, pick);
    try {
      read(parse(changed));
    } catch (error) {
      refused += 1;
      expect(error).toBeInstanceOf(Error);
      // TypeError, RangeError and the like are ours to prevent.
      expect(String(error)).toMatch(/^Error: [a-z]/);
      expect(String(error).length).toBeLessThan(500);
    }
  }
  expect(refused).toBeGreaterThan(ROUNDS / 10);
  expect(refused).toBeLessThan(ROUNDS);
});

function parse(answer: object): Fields {
  return parseFields(Buffer.from(JSON.stringify(answer)), urlProblem);
}

/** Puts a value that does not belong there in some place, or takes one away. */
function changeOne(
  answer: object,
  pick: <Value>(values: readonly Value[]) => Value | undefined,
): void {
  const places = placesIn(answer);
  const { holder, key } = pick(places) ?? { holder: answer, key: 'status' };
  const value = structuredClone(pick(VALUES));
  const kind = pick(['replace', 'remove', 'add']);
  if (kind === 'remove') Reflect.deleteProperty(holder, key);
  else if (kind === 'replace') Reflect.set(holder, key, value);
  else Reflect.defineProperty(holder, pick(KEYS) ?? '', { value, enumerable: true });
}

function placesIn(value: unknown): readonly { readonly holder: object; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { holder: value, key },
    ...placesIn(inner),
  ]);
}
