import { createHash } from 'node:crypto';
import type { Random } from '../random.ts';
import type { PasswordHasher } from './password-hash.ts';

/** Costs nothing and guards nothing: for tests and the simulation. */
export function fakePasswordHasher(random: Random): PasswordHasher {
  return {
    async hash(password) {
      return hashed(password, Buffer.from(random.bytes(8)).toString('hex'));
    },
    verify: async (password, text) => isFakeHashOf(password, text),
  };
}

export function isFakeHashOf(password: string, text: string): boolean {
  const [, salt = ''] = text.split('$');
  return hashed(password, salt) === text;
}

function hashed(password: string, salt: string): string {
  const digest = createHash('sha256')
    .update(`${salt} ${password.normalize('NFC')}`)
    .digest('hex');
  return `fake$${salt}$${digest}`;
}
