import { expect, test } from 'vitest';
import { parseSigners } from './signer.ts';
import { sshKey } from './ssh-key.fixture.ts';

const { line } = sshKey('ada@laptop');
const [type = '', blob = ''] = line.split(' ');

const read = (text: string): unknown => {
  const found = parseSigners(text, 'team');
  if (found.kind === 'problem') return found.problem;
  return found.signers.map(({ key: _, isRevoked: _r, ...signer }) => signer);
};

test.each<{ readonly text: string; readonly is: unknown }>([
  { text: '', is: [] },
  { text: '# remark\n\n', is: [] },
  { text: line, is: [{ name: 'ada@laptop' }] },
  { text: `${type} ${blob}`, is: [{ name: 'team' }] },
  { text: `ada@example.com ${line}\r\n`, is: [{ name: 'ada@example.com' }] },
  {
    text: `"ada@example.com,*@b" namespaces="git,file" ${line}`,
    is: [{ name: 'ada@example.com,*@b' }],
  },
  // Who may sign other things than commits may sign no commits.
  { text: `ada namespaces="file" ${line}`, is: [] },
  {
    text: `ada valid-after="20260101Z",valid-before="202602031405" ${line}`,
    is: [{ name: 'ada', fromMs: Date.UTC(2026, 0, 1), untilMs: Date.UTC(2026, 1, 3, 14, 5) }],
  },
  { text: `ada valid-before="soon" ${line}`, is: /^team, line 1: .* is no time, e\.g\. 20260131Z/ },
  { text: `\nada cert-authority ${line}`, is: /^team, line 2: names a CA of ssh/ },
  { text: `ada no-touch-required ${line}`, is: /the option "no-touch-required" is not known/ },
  { text: 'ada ssh-dss AAAA', is: /^team, line 1: has no public key of ssh/ },
  { text: `ada ${type} AAAA`, is: /has no public key/ },
  { text: 'hunter2', is: /has no public key/ },
  { text: '"', is: /has no public key/ },
  { text: '-----BEGIN PGP PUBLIC KEY BLOCK-----\nAAAA', is: /no whole public key/ },
  {
    text: '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n-----END PGP PRIVATE KEY BLOCK-----',
    is: /no whole/,
  },
])('$text', ({ text, is }) => {
  if (is instanceof RegExp) expect(read(text)).toMatch(is);
  else expect(read(text)).toEqual(is);
});

test('names cannot move the cursor of who reads them', () => {
  expect(read(`ada\u001b[2J ${line}`)).toEqual([{ name: 'ada\\u001b[2J' }]);
});
