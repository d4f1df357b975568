import { expect, test } from 'vitest';
import { formatScryptHash, parseScryptHash } from '../secret/password-hash.ts';
import { passwordHasherCases } from '../secret/password-hasher.case.ts';
import { nodePasswordHasher } from './password-hasher.ts';
import { systemRandom } from './random.ts';

const hasher = nodePasswordHasher(systemRandom());

passwordHasherCases(hasher);

test('says how it was made, and is read as it was written', async () => {
  const own = await hasher.hash('password');
  expect(own).toMatch(/^scrypt\$14\$8\$5\$[\w-]{22}\$[\w-]{43}$/u);
  const parsed = parseScryptHash(own);
  expect(parsed && formatScryptHash(parsed)).toBe(own);
});

test.each(['18$8$5', '14$9$5', '14$8$17', '0$8$5', '14$0$5', '14$8$0'])(
  'a hash of the cost %s is not worked on',
  (cost) => {
    const text = `scrypt$${cost}$${'a'.repeat(22)}$${'a'.repeat(43)}`;
    expect(parseScryptHash(text)).toBeUndefined();
  },
);
