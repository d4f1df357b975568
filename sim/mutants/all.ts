import { CERTIFICATES } from './list/certificates.ts';
import { CONTENT } from './list/content.ts';
import { DNS } from './list/dns.ts';
import { GIT } from './list/git.ts';
import { PEOPLE } from './list/people.ts';
import { ROUTING } from './list/routing.ts';
import { STALENESS } from './list/staleness.ts';
import { STORE } from './list/store.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...STALENESS,
  ...STORE,
  ...CONTENT,
  ...DNS,
  ...ROUTING,
  ...PEOPLE,
  ...CERTIFICATES,
  ...GIT,
];

/** Throws a RangeError that names the nearest ones where there is none. */
export function mutantNamed(name: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (found !== undefined) return found;
  const names = MUTANTS.map((mutant) => mutant.name).join(', ');
  throw new RangeError(`there is no mutant ${name}; there are: ${names}`);
}
