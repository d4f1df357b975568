import { expect, test } from 'vitest';
import type { PasswordHasher } from './password-hash.ts';

/** The contract of `PasswordHasher`: every implementation passes it. */
export function passwordHasherCases(hasher: PasswordHasher): void {
  test('finds the password right, and no other', async () => {
    const hash = await hasher.hash('caf\u00e9 \u{1f511}');
    expect(hash).not.toContain('caf');
    expect(await hasher.verify('caf\u00e9 \u{1f511}', hash)).toBe(true);
    // However it was typed (RFC 7617 §2.1: NFC).
    expect(await hasher.verify('cafe\u0301 \u{1f511}', hash)).toBe(true);
    for (const other of ['', 'caf', 'caf\u00e9 \u{1f511} ', hash])
      expect(await hasher.verify(other, hash)).toBe(false);
  });

  test('two hashes of one password differ', async () => {
    expect(await hasher.hash('secret')).not.toBe(await hasher.hash('secret'));
  });

  test.each(['', 'secret', '$2b$10$abc', 'scrypt$99$8$5$x$y', 'scrypt$14$8$5$$'])(
    'knows nothing of the hash "%s"',
    async (hash) => {
      expect(await hasher.verify('secret', hash)).toBe(false);
    },
  );
}
