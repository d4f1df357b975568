import { beforeAll, describe, expect, test } from 'vitest';
import { geo } from '../run/geo.fixture.ts';
import { type Rehearsal, rehearse } from '../run/rehearse.ts';
import { drawSetting } from '../run/setting.ts';
import { renderText } from './text.ts';

/** Worlds with several doms, crashes and loss among them. */
const SEEDS = [3, 12];

describe.each(SEEDS)('the timeline of seed %i', (seed) => {
  let kept: Rehearsal;
  beforeAll(async () => {
    kept = await run(seed, 'lines');
  });

  test('changes nothing: the hash is that of a run that keeps no lines', async () => {
    const bare = await run(seed, 'hash');
    expect(bare.kind).toBe('held');
    expect(hashOf(kept)).toBe(hashOf(bare));
    expect(bare.lines).toEqual([]);
  });

  test('goes from cause to effect, and its clocks with it', () => {
    const all = kept.lines;
    const wrong = all.flatMap(({ atMs, tick, causes }, number) =>
      causes
        .filter((cause) => {
          const before = all[cause];
          if (before === undefined || cause >= number) return true;
          return before.atMs > atMs || (before.atMs === atMs && before.tick >= tick);
        })
        .map((cause) => `${cause} before ${number}`),
    );
    expect(wrong).toEqual([]);
  });

  test('tells where each frame that arrived was sent', () => {
    const all = kept.lines;
    const received = all.filter(({ kind }) => kind === 'receives');
    expect(received.length).toBeGreaterThan(50);
    for (const { host, what, causes } of received) {
      const sent = all[causes[0] ?? -1];
      expect(sent?.kind).toBe('sends');
      expect(sent?.what).toBe(what.replace(/^← \S+/, `→ ${host}`));
    }
  });

  test('holds no private key (INV-33)', () => {
    expect(JSON.stringify(kept.lines)).not.toContain('PRIVATE KEY');
  });

  test('says in a fraction of its lines what is new', () => {
    const all = kept.lines;
    const rows = renderText(all).split('\n').length;
    expect(rows).toBeLessThan(all.length / 2);
  });
});

function run(seed: number, keep: 'lines' | 'hash'): Promise<Rehearsal> {
  const onUnhandled = (): (() => void) => () => undefined;
  return rehearse(drawSetting(seed, 'short'), { keep, geo, onUnhandled });
}

function hashOf(rehearsal: Rehearsal): string | undefined {
  return rehearsal.kind === 'held' ? rehearsal.result.hash : undefined;
}
