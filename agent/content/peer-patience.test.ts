import { describe, expect, test } from 'vitest';
import { digestOf } from '../../runtime/content/digest.ts';
import { PEER_PATIENCE_MS, PEER_PROGRESS_BYTES_MIN, PeerPatience } from './peer-patience.ts';

const blob = { digest: digestOf(Buffer.from('a film')), sizeBytes: 10 * PEER_PROGRESS_BYTES_MIN };
const small = { digest: digestOf(Buffer.from('a page')), sizeBytes: 100 };

/** Of an edge that lacks something every second: when it is not waited for any more. */
function overAfterMs(act: (patience: PeerPatience, second: number) => void): number {
  let nowMs = 5_000;
  const patience = new PeerPatience({ monotonicMs: () => nowMs });
  for (let second = 0; second < 1_000; second += 1) {
    act(patience, second);
    if (patience.lacked() === 'over') return second * 1_000;
    nowMs += 1_000;
  }
  return Number.POSITIVE_INFINITY;
}

describe('an edge that lacks something is waited for', () => {
  const slow = PEER_PROGRESS_BYTES_MIN / (PEER_PATIENCE_MS / 1_000) - 1;
  test.each<readonly [string, number, (patience: PeerPatience, second: number) => void]>([
    ['does nothing', 1, () => undefined],
    ['has one byte more each time', 1, (each, second) => each.holds(blob, second)],
    [
      'has more each time than there is of it',
      1,
      (each, second) => each.holds(small, second * PEER_PROGRESS_BYTES_MIN),
    ],
    [
      'has it and loses it',
      1,
      (each, second) => each.holds(blob, second % 2 === 0 ? PEER_PROGRESS_BYTES_MIN - 1 : 0),
    ],
    ['gets it at less than the least rate', 1, (each, second) => each.holds(blob, second * slow)],
    // Then there is no more of it.
    [
      'gets it at a good rate, and never has it',
      11,
      (each, second) => each.holds(blob, (second * PEER_PROGRESS_BYTES_MIN) / 5),
    ],
    ['gives a tiny blob a second', 1, (each) => each.gave(1)],
    [
      'gives enough tiny blobs',
      Number.POSITIVE_INFINITY,
      (each) => [1, 1].map((n) => each.gave(n)),
    ],
    [
      'gives enough bytes',
      Number.POSITIVE_INFINITY,
      (each) => each.gave(PEER_PROGRESS_BYTES_MIN / 9),
    ],
  ])('when it %s', (_what, patiences, act) => {
    const ms = overAfterMs(act);
    expect(ms).toBeGreaterThanOrEqual(Math.min(patiences, 6) * PEER_PATIENCE_MS);
    expect(ms).toBeLessThanOrEqual(patiences * PEER_PATIENCE_MS);
  });
});
