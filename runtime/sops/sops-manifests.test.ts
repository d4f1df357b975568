import { beforeAll, describe, expect, test } from 'vitest';
import type { ManifestDocument } from '../../api/manifest.ts';
import { type AgeKeys, parseAgeKeys } from './age-keys.ts';
import { type AgePair, agePair, type SopsOptions, sopsEncrypt } from './sops.fixture.ts';
import { parseSopsManifests } from './sops-manifests.ts';

const SECRET = `apiVersion: b8s.dev/v1
kind: Secret
metadata:
  name: db
  labels: { tier: "1", shown: "true" }
spec:
  data:
    # a remark
    password: hunter2-pässword
    empty: ""
    lines: |
      one
      two
`;

let ada: AgePair;
let bob: AgePair;
let eve: AgePair;
let keys: AgeKeys;

beforeAll(async () => {
  [ada, bob, eve] = [await agePair(), await agePair(), await agePair()];
  keys = await keysOf(ada);
});

async function keysOf(...pairs: readonly AgePair[]): Promise<AgeKeys> {
  const texts = pairs.map(({ identity }) => `# created: today\n${identity}\n`);
  const found = await parseAgeKeys(texts, 'Secret default/sops');
  if (typeof found === 'string') throw new Error(found);
  return found;
}

const encrypt = (text: string, options: Partial<SopsOptions> = {}): Promise<string> =>
  sopsEncrypt(text, { groups: [[ada]], ...options });

const read = async (text: string, with_: AgeKeys | string = keys): Promise<readonly unknown[]> =>
  (await parseSopsManifests(text, 's.yaml', with_)).map(rawOf);

const rawOf = (document: ManifestDocument): unknown =>
  document.kind === 'object' ? document.raw : document.message;

const DECRYPTED = {
  apiVersion: 'b8s.dev/v1',
  kind: 'Secret',
  metadata: { name: 'db', labels: { tier: '1', shown: 'true' } },
  spec: { data: { password: 'hunter2-pässword', empty: '', lines: 'one\ntwo\n' } },
};

describe('what SOPS encrypted is decrypted', () => {
  test.each<{ readonly when: string; readonly options: Partial<SopsOptions> }>([
    { when: 'by a pattern', options: {} },
    {
      when: 'by a pattern with more to it',
      options: { rule: { encrypted_regex: '^(data|x.*)$' } },
    },
    {
      when: 'all but some',
      options: { rule: { unencrypted_regex: '^(apiVersion|kind|metadata)$' } },
    },
    { when: 'by an ending', options: { rule: { encrypted_suffix: 'data' } } },
    { when: 'with a MAC over what is encrypted', options: { macOnlyEncrypted: true } },
    { when: 'as JSON', options: { format: 'json' } },
  ])('$when', async ({ options }) => {
    const text = await encrypt(SECRET, options);
    expect(text).not.toContain('hunter2');
    // By metadata, data is an ending, too.
    const isEnding = options.rule?.['encrypted_suffix'] !== undefined;
    if (isEnding) expect(await read(text)).toEqual([expect.stringMatching(/only values of a Sec/)]);
    else expect(await read(text)).toEqual([DECRYPTED]);
  });

  test('for several recipients, of which one is ours', async () => {
    expect(await read(await encrypt(SECRET, { groups: [[eve, ada]] }))).toEqual([DECRYPTED]);
  });

  test('in shares, of which there are enough', async () => {
    const text = await encrypt(SECRET, { groups: [[eve], [ada], [bob]], threshold: 2 });
    expect(await read(text, await keysOf(bob, ada))).toEqual([DECRYPTED]);
    expect(await read(text)).toEqual([expect.stringMatching(/too few of its groups/)]);
  });

  test('in several documents, and in a List', async () => {
    const other = SECRET.replace('name: db', 'name: other');
    const all = await read(await encrypt(`${SECRET}---\n${other}`));
    expect(all).toMatchObject([DECRYPTED, { metadata: { name: 'other' } }]);
    const list = { apiVersion: 'b8s.dev/v1', kind: 'List', items: [DECRYPTED] };
    expect(await read(await encrypt(JSON.stringify(list)))).toEqual([list]);
  });

  test('numbers, booleans and nothing are as in Go for the MAC', async () => {
    const text = SECRET.replace('spec:', 'more: [1, 1.50, true, null, -0.25, 1e3]\nspec:');
    expect(await read(await encrypt(text))).toMatchObject([
      { more: [1, 1.5, true, null, -0.25, 1e3] },
    ]);
  });

  test('lines are those of the file', async () => {
    const text = await encrypt(SECRET);
    const [document] = await parseSopsManifests(text, 's.yaml', keys);
    const line = text.split('\n').findIndex((each) => each.includes('password:')) + 1;
    expect(document?.kind === 'object' && document.locate('spec.data.password')).toBe(line);
  });

  test('other files are as they were, also those that speak of sops', async () => {
    const text = SECRET.replace('spec:', 'sops: later\nspec:');
    expect(await read(text)).toMatchObject([{ kind: 'Secret', sops: 'later' }]);
  });
});

/** With one value in place of another. */
function moved(text: string, from: string, to: string): string {
  const value = (name: string): string => new RegExp(`${name}: (.*)`).exec(text)?.[1] ?? '';
  return text.replace(value(to), value(from));
}

describe('refused, with file, line and mend, and without a value', () => {
  const cases: readonly {
    readonly when: string;
    readonly options?: Partial<SopsOptions>;
    readonly source?: string;
    readonly change?: (text: string) => string;
    readonly says: RegExp;
  }[] = [
    {
      when: 'a value in the clear was changed',
      change: (text) => text.replace('tier: "1"', 'tier: "2"'),
      says: /^s\.yaml:\d+ sops\.mac is not what was encrypted: .*encrypt it again$/,
    },
    {
      when: 'a value in the clear was added, and a document',
      change: (text) => `${text}---\n${SECRET.replace('name: db', 'name: evil')}`,
      says: /spec\.data\.password is not encrypted/,
    },
    {
      when: 'a document of other things was added',
      change: (text) => `${text}---\napiVersion: b8s.dev/v1\nkind: Issuer\nmetadata: {name: x}\n`,
      says: /its MAC is of other values/,
    },
    {
      when: 'an encrypted value was changed',
      change: (text) =>
        text.replace(/password: ENC\[AES256_GCM,data:(....)/, 'password: ENC[AES256_GCM,data:AAAA'),
      says: /^s\.yaml:\d+ spec\.data\.password cannot be decrypted: it was changed, or moved/,
    },
    {
      when: 'an encrypted value was moved',
      change: (text) => moved(text, 'lines', 'password'),
      says: /spec\.data\.password cannot be decrypted: it was changed, or moved/,
    },
    {
      when: 'a value was written in the clear',
      change: (text) => text.replace(/password: ENC.*/, 'password: hunter3'),
      says: /spec\.data\.password is not encrypted, though/,
    },
    {
      when: 'the tag is cut to what can be guessed',
      change: (text) => text.replace(/tag:[^,]+,/, 'tag:AAAA,'),
      says: /spec\.data\.password is not encrypted, though/,
    },
    {
      when: 'the MAC is missing',
      change: (text) => text.replace(/^ {2}mac: .*\n/m, ''),
      says: /no mac and lastmodified/,
    },
    {
      when: 'the MAC is that of another time',
      change: (text) => text.replace('2026-01-31T12', '2026-01-31T13'),
      says: /sops\.mac is not what was encrypted/,
    },
    {
      when: 'a value was removed',
      change: (text) => text.replace(/^ {4}password: .*\n/m, ''),
      says: /its MAC is of other values/,
    },
    {
      when: 'its key is of somebody else',
      options: { groups: [] },
      says: /^s\.yaml:\d+ cannot be decrypted: it is encrypted for age1[a-z0-9]+, and Secret default\/sops has none/,
    },
    {
      when: 'something else than a Secret is encrypted',
      source:
        'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: a }\nspec: { data: { a: hunter2 } }\n',
      says: /spec\.data\.a is encrypted, and only values of a Secret/,
    },
    {
      when: 'more of a Secret is encrypted than its values',
      options: { rule: { unencrypted_suffix: '_unencrypted' } },
      says: /^s\.yaml:1 apiVersion is encrypted, and only values.*--encrypted-regex/,
    },
    {
      when: 'a number is encrypted',
      source: SECRET.replace('hunter2-pässword', '5432'),
      says: /spec\.data\.password was encrypted as int; put it in quotes/,
    },
    {
      when: 'it has so many names that to try them all takes long',
      change: (text) =>
        text + Array.from({ length: 9_000 }, (_, n) => `some-name-${n}: 1\n`).join(''),
      says: /has too many names of fields; split the file/,
    },
    {
      when: 'it is larger than an encrypted file may be',
      change: (text) => `${text}x: "${'x'.repeat(1_000_000)}"\n`,
      says: /is encrypted, and larger than 1000000 bytes; split it/,
    },
    {
      when: 'it nests more deeply than any manifest',
      change: (text) => `${text}x: ${'['.repeat(30)}1${']'.repeat(30)}\n`,
      says: /nests too deeply/,
    },
    {
      when: 'it repeats itself',
      change: (text) => `${text}x: &x 1\ny: *x\n`,
      says: /y is an alias, which SOPS never writes/,
    },
    {
      when: 'the pattern is one that could take for ever',
      change: (text) => text.replace('^data$', '^(a{1,9}){1,9}$'),
      says: /its encrypted_regex is not one that dom can read/,
    },
  ];
  test.each(cases)('$when', async ({ options, source = SECRET, change, says }) => {
    const groups = options?.groups?.length === 0 ? [[eve]] : [[ada]];
    const text = await encrypt(source, { ...options, groups });
    const changed = change?.(text) ?? text;
    expect(change === undefined || changed !== text).toBe(true);
    const [first, ...others] = await read(changed);
    expect(others).toEqual([]);
    expect(first).toMatch(says);
    expect(String(first)).not.toMatch(/hunter|5432|pässword|AGE-SECRET/);
  });

  test('no key is there', async () => {
    const text = await encrypt(SECRET);
    expect(await read(text, 'name the Secret in spec.decryption')).toEqual([
      expect.stringMatching(/^s\.yaml:\d+ is encrypted with SOPS: name the Secret/),
    ]);
  });

  test('the data key is another one', async () => {
    const [one, other] = [await encrypt(SECRET), await encrypt(SECRET)];
    const armorOf = (text: string): string => /-----BEGIN[^]*END AGE[^\n]*/.exec(text)?.[0] ?? '';
    const [said] = await read(one.replace(armorOf(one), armorOf(other)));
    expect(said).toMatch(/spec\.data\.password cannot be decrypted/);
  });
});

test('noise in place of any part of a file makes nobody tell a value', async () => {
  const text = await encrypt(SECRET);
  for (let at = 0; at < text.length; at += 41) {
    const changed = `${text.slice(0, at)}\u0007{[${text.slice(at + 3)}`;
    // The MAC is over values: names of fields in the clear are for the schemas to judge.
    const told = (await read(changed)).filter((each) => typeof each === 'string');
    expect(told.join()).not.toContain('hunter2');
  }
});

test.each([
  ['', /holds no key of age/],
  ['# nothing', /holds no key of age/],
  ['AGE-SECRET-KEY-1HUNTER2', /key 1 is none of age/],
])('keys that are none: %s', async (text, says) => {
  const said = await parseAgeKeys([text], 'Secret default/sops');
  expect(said).toMatch(says);
  expect(said).not.toMatch(/HUNTER2/);
});
