import { expect, test } from 'vitest';
import {
  type Answers,
  NO_ANSWERS,
  type Sighting,
  type Verdict,
  type Watched,
  watchBatch,
} from './watch.ts';

const RULES = { observeMs: 30_000, errorPercent: 5 };

/** Looks once a second; what is seen changes as the test says. */
class Watcher {
  nowMs = 1_000_000;
  seen: Sighting = {
    ...{ rollout: 'r', batch: '1', ills: [], isCommon: false },
    ...{ switched: NO_ANSWERS, others: NO_ANSWERS },
  };
  #watched: Watched | undefined;

  look(change: Partial<Sighting> = {}, afterMs = 1000): Verdict {
    this.nowMs += afterMs;
    this.seen = { ...this.seen, ...change };
    const { watched, verdict } = watchBatch(this.#watched, this.seen, {
      rules: RULES,
      nowMs: this.nowMs,
    });
    this.#watched = watched;
    return verdict;
  }

  /** How many seconds until it is decided, and how. */
  decided(secondsMax: number): string {
    for (let second = 1; second <= secondsMax; second += 1) {
      const { kind } = this.look();
      if (kind !== 'watching') return `${kind} after ${second}`;
    }
    return 'watching';
  }
}

const answers = (requests: number, errors: number): Answers => ({ requests, errors });

test('a batch is well once nothing was wrong for as long as it is observed', () => {
  const watcher = new Watcher();
  expect(watcher.look()).toEqual({ kind: 'watching', recheckInMs: 1000, ills: [] });
  expect(watcher.decided(60)).toBe('well after 30');
});

test('each batch is watched on its own, and anew by a dom that begins to lead', () => {
  const watcher = new Watcher();
  watcher.look();
  watcher.decided(29);
  expect(watcher.look({ batch: '2' }).kind).toBe('watching');
  expect(watcher.decided(60)).toBe('well after 30');
});

test('a dom that stood still has seen nothing meanwhile, neither good nor bad', () => {
  const watcher = new Watcher();
  watcher.look();
  expect(watcher.look({}, 3_600_000).kind).toBe('watching');
  expect(watcher.look({ ills: ['a is not connected'] }, 3_600_000).kind).toBe('watching');
  expect(watcher.look({}, 3_600_000).kind).toBe('watching');
  expect(watcher.decided(60)).toMatch(/^worse/);
});

test('what is wrong for a moment has it watched for as long again', () => {
  const watcher = new Watcher();
  watcher.look();
  watcher.decided(20);
  watcher.look({ ills: ['a is not connected'] });
  expect(watcher.look({ ills: [] })).toMatchObject({ kind: 'watching' });
  expect(watcher.decided(60)).toBe('well after 30');
});

test('what stays wrong is worse, and is named', () => {
  const watcher = new Watcher();
  watcher.look();
  watcher.look({ ills: ['a is not connected', 'b does not serve it'] });
  expect(watcher.decided(60)).toBe('worse after 30');
  const why = 'a is not connected; b does not serve it';
  expect(watcher.look()).toEqual({ kind: 'worse', why });
});

test('a node that comes and goes for ever ends it as well', () => {
  const watcher = new Watcher();
  watcher.look();
  let verdict: Verdict = watcher.look();
  for (let turn = 0; turn < 100 && verdict.kind === 'watching'; turn += 1)
    verdict = watcher.look({ ills: turn % 3 === 0 ? [] : ['a is not connected'] });
  expect(verdict.kind).toBe('worse');
});

test('where the others are no better off, nothing is decided', () => {
  const watcher = new Watcher();
  watcher.look();
  watcher.look({ ills: ['a is not connected'], isCommon: true });
  expect(watcher.decided(600)).toBe('watching');
  watcher.look({ ills: [], isCommon: false });
  expect(watcher.decided(60)).toBe('well after 30');
});

test.each([
  { when: 'nobody asks', switched: [0, 0], others: [0, 0], kind: 'watching' },
  { when: 'there are no errors', switched: [1000, 0], others: [1000, 0], kind: 'watching' },
  { when: 'too few ask to say', switched: [19, 19], others: [1000, 0], kind: 'watching' },
  {
    when: 'there are too few errors to say',
    switched: [20, 4],
    others: [1000, 0],
    kind: 'watching',
  },
  { when: 'a fourth are errors', switched: [20, 5], others: [1000, 0], kind: 'worse' },
  { when: 'it is exactly what may be', switched: [100, 5], others: [1000, 0], kind: 'watching' },
  { when: 'it is one more', switched: [100, 6], others: [1000, 0], kind: 'worse' },
  { when: 'the others are as bad', switched: [100, 50], others: [100, 45], kind: 'watching' },
  { when: 'the others are less bad', switched: [100, 50], others: [100, 44], kind: 'worse' },
  { when: 'nobody asks the others', switched: [100, 50], others: [0, 0], kind: 'worse' },
] as const)('errors when $when', ({ switched, others, kind }) => {
  const watcher = new Watcher();
  // What was answered before the batch began does not count.
  watcher.look({ switched: answers(500, 500), others: answers(500, 500) });
  const counts = {
    switched: answers(500 + switched[0], 500 + switched[1]),
    others: answers(500 + others[0], 500 + others[1]),
  };
  expect(watcher.look(counts).kind).toBe(kind);
});

test('the last batch is held against what the others answered before', () => {
  const watcher = new Watcher();
  watcher.look({ others: answers(50, 0) });
  watcher.look({ others: answers(250, 80) });
  watcher.look({ batch: '2', others: NO_ANSWERS });
  expect(watcher.look({ switched: answers(100, 44) }).kind).toBe('watching');
  const verdict = watcher.look({ switched: answers(100, 46) });
  const why = "46 % of the answers are errors (5xx), of the others' 40 %";
  expect(verdict).toEqual({ kind: 'worse', why });
});

test('another rollout begins with nothing', () => {
  const watcher = new Watcher();
  watcher.look();
  watcher.look({ others: answers(200, 100) });
  watcher.look({ rollout: 's', batch: '2', others: NO_ANSWERS });
  expect(watcher.look({ switched: answers(100, 10) }).kind).toBe('worse');
});

test('a node that was removed takes its counts with it, and nobody is blamed', () => {
  const watcher = new Watcher();
  watcher.look({ switched: answers(1000, 900) });
  expect(watcher.look({ switched: answers(10, 0) }).kind).toBe('watching');
});
