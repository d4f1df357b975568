import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { drawSetting } from '../run/setting.ts';
import { addTimelineOptions, type TimelineOptions, textOptionsOf } from './options.ts';
import { storyOf } from './story.ts';

describe('options', () => {
  test('narrow', () => {
    const options = parse('--host', 'london,dom', '--kind', 'commits,fault', '--from', '12s');
    expect(textOptionsOf(options, { columns: undefined })).toEqual({
      ...{ hosts: ['london', 'dom'], kinds: ['commits', 'fault'], fromMs: 12_000 },
      ...{ toMs: undefined, grep: undefined, noise: 'fold', columnsMax: undefined, color: 'none' },
    });
  });

  test('colors and cuts are for terminals', () => {
    const options = textOptionsOf(parse('--all'), { columns: 120 });
    expect(options).toMatchObject({ noise: 'show', columnsMax: 120, color: 'ansi' });
  });

  test('why: of the violation, or of a line', () => {
    expect(parse('--why').why).toBe(true);
    expect(parse('--why', '812').why).toBe(812);
  });

  test.each([
    ['--kind', 'commit', 'there is no commit; there are: starts'],
    ['--from', 'noon', 'a time, e.g. 12s'],
    ['--why', 'me', 'the number of a line'],
  ])('%s %s is refused', (name, value, words) => {
    expect(() => parse(name, value)).toThrow(words);
  });
});

test('the story of a run', () => {
  const setting = { ...drawSetting(7, 'short'), leftOut: ['1.2'], crash: { effect: 9, lagMs: 0 } };
  const failure = `INV-28: it names nobody; replay: make sim SEED=7`;
  const { title, failure: told, replay, facts, faults } = storyOf(setting, failure);
  expect([title, told]).toEqual(['seed 7', 'INV-28: it names nobody']);
  expect(replay).toContain('make sim SEED=7 PROFILE=short');
  expect(facts).toContainEqual(['nodes', String(setting.subs)]);
  expect(facts).toContainEqual(['left out', '1.2']);
  expect(facts).toContainEqual(['crash after effect', '9']);
  expect(faults.every(([, strength]) => strength !== '')).toBe(true);
  expect(faults.length).toBeGreaterThan(0);
});

function parse(...args: readonly string[]): TimelineOptions {
  const command = addTimelineOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts<TimelineOptions>();
}
