import { afterEach, expect, test, vi } from 'vitest';
import { InvariantError } from '../check/checks.ts';
import { rehearse } from './rehearse.ts';
import { drawSetting } from './setting.ts';
import { World } from './world.ts';

const REPLAY = '; replay: make sim SEED=7 PROFILE=short';

afterEach(() => vi.restoreAllMocks());

test.each([
  {
    when: 'an exception comes out of it',
    error: new RangeError('there is no such thing'),
    begins: /^RangeError: there is no such thing\n +at .*rehearse.test.ts/,
  },
  {
    when: 'a queue has no bound',
    error: new Error('INV-39: too many'),
    begins: /^INV-39: too many; /,
  },
  { when: 'no error is thrown, but words', error: 'words', begins: /^words; / },
  {
    when: 'a check has said it',
    error: new InvariantError(`INV-1: waits${REPLAY}`),
    begins: /^INV-1: waits; replay: make sim SEED=7 PROFILE=short$/,
  },
])('a failure ends with the command that replays it: $when', async ({ error, begins }) => {
  vi.spyOn(World.prototype, 'run').mockRejectedValue(error);
  const onUnhandled = () => () => undefined;
  const options = { keep: 'hash', geo: undefined, onUnhandled } as const;
  const rehearsal = await rehearse(drawSetting(7, 'short'), options);
  if (rehearsal.kind === 'held') throw new Error('it held');
  expect(rehearsal.message).toMatch(begins);
  expect(rehearsal.message.endsWith(REPLAY)).toBe(true);
});
