import { expect, test } from 'vitest';
import { splitCommit, splitTag } from './signed.ts';

const HEAD = 'tree 1\nauthor Ada <a@b> 5 +0000\ncommitter Ada <a@b> 1700000000 +0100\n';
const SIGNATURE = 'gpgsig -----BEGIN X-----\n AA\n -----END X-----\n';

const split = (text: string): unknown => {
  const read = splitCommit(Buffer.from(text), 'commit 1');
  if (read.kind === 'problem') return read.problem;
  const { payload, signature, atMs } = read.signed;
  return { payload: Buffer.from(payload).toString(), signature, atMs };
};
const signed = {
  ...{ payload: `${HEAD}\nA subject\n`, atMs: 1_700_000_000_000 },
  signature: '-----BEGIN X-----\nAA\n-----END X-----\n',
};

test('the signature is taken out, and all else stays', () => {
  expect(split(`${HEAD}${SIGNATURE}\nA subject\n`)).toEqual(signed);
  expect(split(`${HEAD}\nA subject\n`)).toEqual({ ...signed, signature: undefined });
});

test('bytes that are no text stay bytes', () => {
  const raw = Buffer.concat([Buffer.from(`${HEAD}\n`), Buffer.from([0, 0xff, 0xc3])]);
  const read = splitCommit(raw, 'commit 1');
  expect(read.kind === 'signed' && Buffer.from(read.signed.payload)).toEqual(raw);
});

test('a signature in the message, or in another header, is none', () => {
  const merge = `mergetag object 2\n ${SIGNATURE.replaceAll('\n', '\n ').trimEnd()}\n`;
  expect(split(`${HEAD}\n${SIGNATURE}`)).toMatchObject({ signature: undefined });
  expect(split(`${HEAD}${merge}\nA subject\n`)).toMatchObject({ signature: undefined });
});

test.each([
  {
    when: 'it has two signatures',
    text: `${HEAD}${SIGNATURE}${SIGNATURE}\n`,
    says: /more than one/,
  },
  {
    when: 'it has one of each kind',
    text: `${HEAD}${SIGNATURE}gpgsig-sha256 x\n\n`,
    says: /more than one/,
  },
  { when: 'it has another kind', text: `${HEAD}gpgsig-sha256 x\n\n`, says: /what Git calls it by/ },
  {
    when: 'it does not begin with its tree',
    text: `${SIGNATURE}${HEAD}\n`,
    says: /it is no commit/,
  },
  { when: 'it has no end', text: HEAD, says: /it is no commit/ },
  { when: 'it has no time', text: 'tree 1\n\nA subject', says: /when it was made/ },
  { when: 'it is empty', text: '', says: /it is no commit/ },
])('refused when $when', ({ text, says }) => expect(split(text)).toMatch(says));

const ID = 'a'.repeat(40);
const TAG = `object ${ID}\ntype commit\ntag v1\ntagger Ada <a@b> 1700000000 +0000\n\nA version\n`;
const tag = (text: string, name = 'v1', commit = ID): unknown => {
  const read = splitTag(Buffer.from(text), { name, commit, what: 'tag v1' });
  return read.kind === 'problem' ? read.problem : read.signed.signature;
};
const END = '-----BEGIN SSH SIGNATURE-----\nAA\n-----END SSH SIGNATURE-----\n';

test('of a tag the last signature counts, as in Git', () => {
  expect(tag(`${TAG}${END}`)).toBe(END);
  expect(tag(TAG)).toBeUndefined();
  expect(tag(`${TAG}${END}${END.replace('AA', 'BB')}`)).toBe(END.replace('AA', 'BB'));
});

test.each([
  { text: TAG, name: 'v2', says: /another one/ },
  { text: TAG, commit: 'b'.repeat(40), says: /of another commit/ },
  { text: TAG.replace('type commit', 'type tree'), says: /no tag of a commit/ },
  { text: TAG.replace(/tagger.*\n/, ''), says: /when it was made/ },
])('a tag is refused: $says', ({ text, name, commit, says }) =>
  expect(tag(text, name, commit)).toMatch(says),
);
