import { describe, expect, test } from 'vitest';
import type { Resolver } from './resolver.ts';

export interface ResolverScene {
  readonly resolver: Resolver;
  close(): Promise<void>;
}

/** What the world behind the resolver is to hold. */
export interface ResolverWorld {
  readonly records: readonly {
    readonly name: string;
    readonly type: 'A' | 'AAAA' | 'CNAME';
    readonly ttlS: number;
    readonly value: string;
  }[];
  /** Names for which nobody can be reached, or nobody answers. */
  readonly failing: readonly string[];
  readonly hanging: readonly string[];
}

const WORLD: ResolverWorld = {
  records: [
    { name: 'both.test', type: 'A', ttlS: 300, value: '192.0.2.1' },
    { name: 'both.test', type: 'A', ttlS: 300, value: '192.0.2.2' },
    { name: 'both.test', type: 'AAAA', ttlS: 60, value: '2001:db8::1' },
    { name: 'four.test', type: 'A', ttlS: 7, value: '192.0.2.4' },
    { name: 'alias.test', type: 'CNAME', ttlS: 300, value: 'four.test' },
  ],
  failing: ['broken.test'],
  hanging: ['silent.test'],
};

/** The contract of `Resolver`: every implementation passes it. */
export function resolverCases(start: (world: ResolverWorld) => Promise<ResolverScene>): void {
  const use = async <T>(body: (resolver: Resolver) => Promise<T>): Promise<T> => {
    const scene = await start(WORLD);
    try {
      return await body(scene.resolver);
    } finally {
      await scene.close();
    }
  };
  const never = new AbortController().signal;

  describe('addresses', () => {
    test.each([
      { name: 'both.test', family: 'A', addresses: ['192.0.2.1', '192.0.2.2'], ttlS: 300 },
      { name: 'both.test', family: 'AAAA', addresses: ['2001:db8::1'], ttlS: 60 },
      { name: 'alias.test', family: 'A', addresses: ['192.0.2.4'], ttlS: 7 },
    ] as const)('of $name $family, with how long they hold', ({ name, family, addresses, ttlS }) =>
      use(async (resolver) => {
        const answer = await resolver.addresses(name, family, never);
        expect(answer.addresses.toSorted()).toEqual(addresses);
        expect(answer.ttlS).toBe(ttlS);
      }),
    );

    test.each([
      { when: 'none of that family', name: 'four.test', family: 'AAAA' },
      { when: 'no such name', name: 'nothing.test', family: 'A' },
    ] as const)('$when: empty', ({ name, family }) =>
      use(async (resolver) => {
        expect((await resolver.addresses(name, family, never)).addresses).toEqual([]);
      }),
    );
  });

  test('nobody can tell: rejects, and names the name', () =>
    use(async (resolver) => {
      await expect(resolver.addresses('broken.test', 'A', never)).rejects.toThrow('broken.test');
    }));

  test('an aborted signal ends the wait', () =>
    use(async (resolver) => {
      const stop = new AbortController();
      const waiting = resolver.addresses('silent.test', 'A', stop.signal);
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow();
    }));

  test('a signal that was aborted before: rejects at once', () =>
    use(async (resolver) => {
      const waiting = resolver.addresses('silent.test', 'A', AbortSignal.abort());
      await expect(waiting).rejects.toThrow();
    }));
}
