import { describe, expect, test } from 'vitest';
import { systemRandom } from '../../runtime/node/random.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import { Writer } from '../../runtime/store/writer.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { createTokens, TOKENS_MAX } from './tokens.ts';

const AUTHOR = { manager: 'test', user: 'test' };

function setUp() {
  const clock = virtualClock();
  const random = systemRandom();
  const store = memoryStore({ clock });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  return { clock, store, writer, tokens: createTokens({ store, writer, clock, random }) };
}

describe('create', () => {
  test('keeps the hash of the secret only', async () => {
    const { tokens, store, clock } = setUp();
    const { id, token, expiresMs } = await tokens.create({
      node: 'london',
      ttlS: 60,
      createdBy: 'ada',
    });
    expect(token).toMatch(/^[0-9a-f]{16}\.[A-Za-z0-9_-]{32}$/);
    expect(expiresMs).toBe(clock.nowMs() + 60_000);
    const stored = await store.get(recordKey('token', id));
    expect(stored?.value).not.toContain(token.slice(17));
    const listed = { id, node: 'london', expiresMs, createdBy: 'ada' };
    expect(await tokens.list()).toEqual([listed]);
  });

  test.each([
    { ttlS: 0, lifetimeMs: 15 * 60_000 },
    { ttlS: 1, lifetimeMs: 1000 },
    { ttlS: 3600, lifetimeMs: 3_600_000 },
  ])('a ttl of $ttlS s lives for $lifetimeMs ms', async ({ ttlS, lifetimeMs }) => {
    const { tokens, clock } = setUp();
    const { expiresMs } = await tokens.create({ node: '', ttlS, createdBy: 'ada' });
    expect(expiresMs - clock.nowMs()).toBe(lifetimeMs);
  });

  test.each([3601, -1, 0.5, Number.NaN])('a ttl of %s s is refused', async (ttlS) => {
    const { tokens } = setUp();
    const creating = tokens.create({ node: '', ttlS, createdBy: 'ada' });
    await expect(creating).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('there is a limit to how many wait', async () => {
    const { tokens, writer } = setUp();
    const value = { secretHash: '', node: '', expiresMs: Number.MAX_SAFE_INTEGER, createdBy: '' };
    for (let count = 0; count < TOKENS_MAX; count += 1) {
      const id = String(count);
      await writer.commit(
        [{ kind: 'record', record: 'token', id, value, modRevision: 0n }],
        AUTHOR,
      );
    }
    const creating = tokens.create({ node: '', ttlS: 0, createdBy: 'ada' });
    await expect(creating).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

describe('redeem', () => {
  test('of two who redeem at once one commits (INV-35)', async () => {
    const { tokens, writer } = setUp();
    const { token } = await tokens.create({ node: '', ttlS: 0, createdBy: 'ada' });
    const [one, two] = [await tokens.redeem(token, 'london'), await tokens.redeem(token, 'paris')];
    const outcomes = await Promise.all([
      writer.commit([one.operation], AUTHOR),
      writer.commit([two.operation], AUTHOR),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['written', 'conflict']);
    await expect(tokens.redeem(token, 'paris')).rejects.toThrow('unknown or was used');
  });

  test.each([
    { when: 'a millisecond before its end', afterMs: 59_999, message: undefined },
    { when: 'at its very end', afterMs: 60_000, message: 'expired' },
    { when: 'later', afterMs: 600_000, message: 'expired' },
  ])('$when: $message', async ({ afterMs, message }) => {
    const { tokens, clock } = setUp();
    const { token } = await tokens.create({ node: '', ttlS: 60, createdBy: 'ada' });
    await clock.advance(afterMs);
    const redeeming = tokens.redeem(token, 'london');
    if (message === undefined) expect(await redeeming).toMatchObject({ node: '' });
    else await expect(redeeming).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await tokens.list()).toHaveLength(message === undefined ? 1 : 0);
  });

  test('a wrong secret and an unknown id cannot be told apart', async () => {
    const { tokens } = setUp();
    const { token } = await tokens.create({ node: 'london', ttlS: 0, createdBy: 'ada' });
    const wrongSecret = `${token.slice(0, 17)}${'A'.repeat(32)}`;
    const wrongId = `${'0'.repeat(16)}${token.slice(16)}`;
    const errors = await Promise.all(
      [wrongSecret, wrongId].map((wrong) => tokens.redeem(wrong, 'paris').catch(String)),
    );
    expect(errors[0]).toContain('unknown or was used');
    expect(errors[0]).toBe(errors[1]);
  });

  test('a bound token is good for its node only', async () => {
    const { tokens } = setUp();
    const { token } = await tokens.create({ node: 'london', ttlS: 0, createdBy: 'ada' });
    await expect(tokens.redeem(token, 'paris')).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('"london" only'),
    });
    expect(await tokens.redeem(token, 'london')).toMatchObject({ node: 'london' });
  });

  test.each(['', 'x', 'a.b', '../../nodes/london'])('%j is not a token', async (token) => {
    await expect(setUp().tokens.redeem(token, 'london')).rejects.toThrow('not a join token');
  });
});

test('a revoked token is gone; what is not there cannot be revoked', async () => {
  const { tokens } = setUp();
  const { id, token } = await tokens.create({ node: '', ttlS: 0, createdBy: 'ada' });
  await tokens.revoke(id, 'ada');
  await expect(tokens.redeem(token, 'london')).rejects.toThrow('unknown or was used');
  await expect(tokens.revoke(id, 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(tokens.revoke('no/id', 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test.each([
  { when: 'before it expires', beforeMs: 0 },
  { when: 'after it has expired', beforeMs: 90_000 },
])('a clock that is set back $when keeps no token alive (INV-35)', async ({ beforeMs }) => {
  const { tokens, clock } = setUp();
  const { token } = await tokens.create({ node: '', ttlS: 60, createdBy: 'ada' });
  await clock.advance(beforeMs);
  const { nowMs } = clock;
  clock.nowMs = () => nowMs() - 3_600_000;
  const redeemed = tokens.redeem(token, 'london');
  if (beforeMs === 0) await redeemed;
  else await expect(redeemed).rejects.toThrow('expired');
  await clock.advance(60_000);
  await expect(tokens.redeem(token, 'london')).rejects.toThrow('expired');
  expect(await tokens.list()).toEqual([]);
  expect(await tokens.sweep()).toBe(1);
});

test('a token of another dom ends as soon as the clock has once said so', async () => {
  const { tokens, writer, clock } = setUp();
  const expiresMs = clock.nowMs() + 60_000;
  const value = { secretHash: '', node: '', expiresMs, createdBy: '' };
  const id = '0123456789abcdef';
  await writer.commit([{ kind: 'record', record: 'token', id, value, modRevision: 0n }], AUTHOR);
  expect((await tokens.list()).length).toBe(1);
  const { nowMs } = clock;
  clock.nowMs = () => nowMs() - 3_600_000;
  await clock.advance(59_999);
  expect((await tokens.list()).length).toBe(1);
  await clock.advance(1);
  expect(await tokens.list()).toEqual([]);
});

test('tokens that have expired make room for others, and one sweep removes them all', async () => {
  const { tokens, clock } = setUp();
  for (let count = 0; count < TOKENS_MAX; count += 1)
    await tokens.create({ node: '', ttlS: 60, createdBy: 'ada' });
  await clock.advance(60_000);
  await tokens.create({ node: '', ttlS: 60, createdBy: 'ada' });
  expect(await tokens.sweep()).toBe(TOKENS_MAX);
  expect(await tokens.sweep()).toBe(0);
});

test('a sweep removes what has expired and nothing else', async () => {
  const { tokens, clock, store } = setUp();
  await tokens.create({ node: 'old', ttlS: 60, createdBy: 'ada' });
  await tokens.create({ node: 'new', ttlS: 61, createdBy: 'ada' });
  await clock.advance(60_000);
  expect(await tokens.sweep()).toBe(1);
  expect(await tokens.sweep()).toBe(0);
  expect((await store.list(recordKey('token', ''))).items).toHaveLength(1);
  expect((await tokens.list()).map(({ node }) => node)).toEqual(['new']);
});
