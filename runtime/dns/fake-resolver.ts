import type { ResolvedAddresses, Resolver } from './resolver.ts';

/** For simulation and tests: answers from a table, at once. */
export interface FakeResolver extends Resolver {
  /** From now on; `'fails'`: nobody can be reached, `'hangs'`: nobody answers. */
  set(name: string, family: 'A' | 'AAAA', answer: FakeAnswer): void;
  /** `name family` of every question, in order. */
  readonly asked: readonly string[];
}

export type FakeAnswer = ResolvedAddresses | 'fails' | 'hangs';

/** What a name that was never set is answered with: there is none. */
const NOTHING: ResolvedAddresses = { addresses: [], ttlS: undefined };

export function fakeResolver(): FakeResolver {
  const answers = new Map<string, FakeAnswer>();
  const asked: string[] = [];
  return {
    asked,
    set: (name, family, answer) => void answers.set(`${name} ${family}`, answer),
    addresses: async (name, family, signal) => {
      asked.push(`${name} ${family}`);
      const answer = answers.get(`${name} ${family}`) ?? NOTHING;
      signal.throwIfAborted();
      if (answer === 'hangs') await aborted(signal);
      if (typeof answer === 'string') throw new Error(`look ${name} ${family} up: no answer`);
      return answer;
    },
  };
}

/** Rejects once the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', fail, { once: true });
  });
}
