import { expect, test } from 'vitest';
import { splitCommit } from './signed.ts';
import { sshKey } from './ssh-key.fixture.ts';
import { type OpenPgp, verifySigned } from './verify.ts';

const HEAD = 'tree 1\nauthor Ada <a@b> 5 +0000\ncommitter Ada <a@b> 1700000000 +0100\n';
const PAYLOAD = Buffer.from(`${HEAD}\nA subject\n`);
const ROUNDS = 3_000;
const SEED = 88_675_123;

const ada = sshKey('ada');
const nobody: OpenPgp = async () => ({ kind: 'unknown', key: '' });

/** Numbers below a bound, the same each time (xorshift). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test(`however a signed commit is changed, it never counts for other bytes (seed ${SEED})`, async () => {
  const next = numbers(SEED);
  const signature = ada.sign(PAYLOAD).trimEnd().replaceAll('\n', '\n ');
  const signed = Buffer.from(`${HEAD}gpgsig ${signature}\n\nA subject\n`);
  const pieces = ['\n', '\n ', '\n\n', 'gpgsig ', 'tree 2\n', '\0', '\r'].map((each) =>
    Buffer.from(each),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const at = next(signed.length);
    const other = pieces[next(pieces.length)] ?? signed;
    const gone = at + next(30);
    const parts = [
      [signed.subarray(0, at), other, signed.subarray(at)],
      [signed.subarray(0, at), signed.subarray(gone)],
      [signed.subarray(0, at), signed.subarray(at, gone), signed.subarray(at)],
      [signed.subarray(0, at), Buffer.from([next(256)]), signed.subarray(at + 1)],
    ][next(4)];
    const read = splitCommit(Buffer.concat(parts ?? []), 'commit 1');
    const verified = await verifySigned(read, [ada.signer()], nobody);
    if (verified.kind === 'signed' && read.kind === 'signed')
      expect(Buffer.from(read.signed.payload)).toEqual(PAYLOAD);
  }
});
