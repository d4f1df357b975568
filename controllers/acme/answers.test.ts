import { expect, test } from 'vitest';
import { AcmeProblem } from '../../runtime/acme/acme.ts';
import { allAnswers } from './answers.ts';

const refusal = (retryAfterMs?: number): AcmeProblem =>
  new AcmeProblem({ type: 'rateLimited', detail: 'busy', status: 429 }, retryAfterMs);
const [brief, long, lost] = [refusal(1_000), refusal(17_000), new Error('connection reset')];

test.each([
  { when: 'the longer wait comes first', errors: [long, brief], thrown: long },
  { when: 'the longer wait comes last', errors: [brief, long], thrown: long },
  { when: 'a CA that cannot be reached comes first', errors: [lost, brief], thrown: brief },
  { when: 'nobody says how long', errors: [lost, refusal()], thrown: lost },
])('of several refusals the one counts that has us wait longest: $when', async (given) => {
  const asked = [Promise.resolve(1), ...given.errors.map((error) => Promise.reject(error))];
  await expect(allAnswers(asked)).rejects.toBe(given.thrown);
});

test('all that was asked is answered before', async () => {
  let answered = 'no';
  const late = new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => {
    answered = 'yes';
  });
  await expect(allAnswers([Promise.reject(lost), late])).rejects.toBe(lost);
  expect(answered).toBe('yes');
  expect(await allAnswers([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});
