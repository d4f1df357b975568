import { describe, expect, test } from 'vitest';
import { settle } from '../../runtime/node/settle.ts';
import { Process } from './process.ts';

describe('atEvent', () => {
  test.each([1, 2, 5])('a crash at the event %i comes before the code learns of it', async (n) => {
    const process = new Process('p');
    const heard: number[] = [];
    const port = process.wrap({ answer: async (value: number) => value });
    process.atEvent(n, () => process.kill());
    void (async () => {
      for (let value = 1; value < 9; value += 1) heard.push(await port.answer(value));
    })();
    await settle();
    expect([process.alive, process.events, heard.length]).toEqual([false, n, n - 1]);
  });

  test('an action that does not end it changes nothing', async () => {
    const process = new Process('p');
    const heard: number[] = [];
    const port = process.wrap({ answer: async (value: number) => value });
    process.atEvent(2, () => process.atEvent(2, () => process.pause()));
    void (async () => {
      for (let value = 1; value < 6; value += 1) heard.push(await port.answer(value));
    })();
    await settle();
    expect(heard).toEqual([1, 2, 3]);
    process.resume();
    await settle();
    expect([process.events, heard]).toEqual([5, [1, 2, 3, 4, 5]]);
  });
});

test('what comes while it stands still is heard when it wakes, in order', async () => {
  const process = new Process('p');
  const heard: string[] = [];
  const port = process.wrap({ say: async (word: string) => word });
  for (const word of ['one', 'two']) void port.say(word).then((each) => heard.push(each));
  process.pause();
  await settle();
  expect([process.paused, heard]).toEqual([true, []]);
  process.resume();
  await settle();
  expect(heard).toEqual(['one', 'two']);
});

test('what it missed while it stood still is lost with it', async () => {
  const process = new Process('p');
  const heard: string[] = [];
  const port = process.wrap({ say: async (word: string) => word });
  void port.say('one').then((word) => heard.push(word));
  process.pause();
  await settle();
  process.kill();
  process.resume();
  await settle();
  expect(heard).toEqual([]);
});
