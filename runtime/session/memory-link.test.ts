import { describe, expect, test } from 'vitest';
import { linkCases } from './link.case.ts';
import { LinkClosedError } from './link.ts';
import { linkPair } from './memory-link.ts';

describe('linkPair', () => {
  linkCases(async () => linkPair());

  test('a cut wire ends both sides as lost', async () => {
    const { sub, dom, cut } = linkPair();
    cut();
    for (const link of [sub, dom]) {
      const reading = link.frames()[Symbol.asyncIterator]().next();
      await expect(reading).rejects.toBeInstanceOf(LinkClosedError);
    }
  });
});
