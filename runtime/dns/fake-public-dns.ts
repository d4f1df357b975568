import type { PublicDns, PublicType } from './public-dns.ts';

/** For tests: answers from a table, at once. */
export interface FakePublicDns extends PublicDns {
  /** From now on; `'fails'`: nobody can be reached. What was never set, is not there. */
  set(name: string, type: PublicType, answer: readonly string[] | 'fails'): void;
  /** `name type` of every question, in order. */
  readonly asked: readonly string[];
}

export function fakePublicDns(): FakePublicDns {
  const answers = new Map<string, readonly string[] | 'fails'>();
  const asked: string[] = [];
  return {
    asked,
    set: (name, type, answer) => void answers.set(`${name} ${type}`, answer),
    lookup: async (name, type, signal) => {
      asked.push(`${name} ${type}`);
      signal.throwIfAborted();
      const answer = answers.get(`${name} ${type}`) ?? [];
      if (answer === 'fails') throw new Error(`look ${name} ${type} up: no answer`);
      return answer;
    },
  };
}
