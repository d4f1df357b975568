import type { Clock } from '../../runtime/clock.ts';
import type { SeededRandom } from '../engine/random.ts';

/** The way from a person to dom: `perfect`, or such that questions and answers get lost and late. */
export const LINE_KINDS = ['perfect', 'poor'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

const LATE_MS_MAX = 400;
const LOST_SHARE = 0.08;

/** What one call goes through; `work` is done at dom, and its answer may not come back. */
export async function overLine<Answer>(
  line: { readonly clock: Clock; readonly random: SeededRandom } | undefined,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (line === undefined) return work();
  const { clock, random } = line;
  await clock.sleep(random.integer(0, LATE_MS_MAX));
  if (random.chance(LOST_SHARE)) throw new Error('the line broke before dom heard of it');
  const answer = await work();
  await clock.sleep(random.integer(0, LATE_MS_MAX));
  if (random.chance(LOST_SHARE)) throw new Error('the line broke before the answer came');
  return answer;
}
