import { describe, expect, test } from 'vitest';
import type { Link } from '../../runtime/session/link.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import { hear, NetPlay, outcomeOf, type PlayedDom } from './net.fixture.ts';
import { apart } from './reachability.ts';

const { signal } = new AbortController();

test('a session: frames go there and back, over the distance', async () => {
  const { play, dom, link } = await open();
  const heard = hear(link);
  link.send(Buffer.from('hello'));
  await play.run(42);
  expect(dom.heard).toEqual([['hello']]);
  dom.links[0]?.send(Buffer.from('plan'));
  await play.run(41);
  expect(heard).toEqual([]);
  await play.run(1);
  expect(heard).toEqual(['plan']);
});

test('each dial goes to the next dom; a new life begins with the first', async () => {
  const doms = ['dom-1', 'dom-2', 'dom-3'];
  const play = new NetPlay({}, { doms });
  for (const name of doms) play.dom(name);
  const caller = play.sub('london');
  const dialer = play.network.dialer(caller);
  expect(dialer.doms).toBe(3);
  for (let count = 0; count < 4; count += 1) void dialer.dial(signal);
  void play.network.dialer(play.sub('london')).dial(signal);
  await play.run(1_000);
  expect(play.calls.map(({ to }) => to)).toEqual(['dom-1', 'dom-2', 'dom-3', 'dom-1', 'dom-1']);
});

describe('nobody is reached', () => {
  test.each([
    { when: 'the dom refuses', ends: true, begin: (play: NetPlay) => play.network.refuse('dom-1') },
    { when: 'the dial hangs', ends: false, faults: { dialHang: 1 } },
    { when: 'it is cut off', ends: false, begin: (play: NetPlay) => play.network.cutOff('dom-1') },
    {
      when: 'no answer comes back',
      ends: false,
      begin: (play: NetPlay) =>
        play.network.cut([{ from: ['dom-1'], to: ['newyork'] }], 'no way back'),
    },
  ] satisfies { when: string; ends: boolean; faults?: object; begin?: (play: NetPlay) => void }[])(
    '$when',
    async ({ ends, faults, begin }) => {
      const play = new NetPlay(faults);
      const dom = play.dom('dom-1');
      begin?.(play);
      const dialler = play.network.dialer(play.sub('newyork'));
      // A link is given before it is known whether anybody is there, or only then: both are seen.
      const dials = Array.from({ length: 8 }, () => outcomeOf(dialler.dial(signal)));
      await play.run(1_000);
      for (const { value: link } of dials) link?.send(Buffer.from('hello'));
      const heard = dials.map(({ value: link, error }) =>
        link === undefined ? [error] : hear(link),
      );
      await play.run(60_000);
      const told = ends ? 'dial dom-1: connection refused' : undefined;
      expect(new Set(heard.map(([word]) => word))).toEqual(new Set([told]));
      expect(dials.filter(({ value }) => value !== undefined).length).toBeGreaterThan(0);
      expect(dials.filter(({ value }) => value === undefined).length).toBeGreaterThan(0);
      expect(dom.heard).toEqual([]);
    },
  );
});

describe('what befalls an open session', () => {
  test('a lost frame: both ends learn so, sooner or later or never', async () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { play, dom, link } = await open({ frameLoss: 1 }, `loss ${seed}`);
      const heard = hear(link);
      link.send(Buffer.from('hello'));
      await play.run(60_000);
      expect(dom.heard[0]).toEqual(heard);
      ends.add(heard.join());
    }
    expect([...ends].toSorted()).toEqual(['', 'the connection broke']);
  });

  test('half-open: silence for both', async () => {
    const { play, dom, link } = await open({ halfOpen: 1 });
    const heard = hear(link);
    link.send(Buffer.from('hello'));
    dom.links[0]?.send(Buffer.from('plan'));
    await play.run(1_000_000);
    expect([dom.heard, heard]).toEqual([[[]], []]);
    expect(play.faultsSeen()).toContain('newyork → dom-1 falls silent');
  });

  test('a stall: nothing, then everything at once', async () => {
    const { play, dom, link } = await open({ stall: 1, windowFrames: 2 });
    const said = ['one', 'two', 'three'].map((text) => link.send(Buffer.from(text)));
    expect(said).toEqual([true, false, false]);
    play.faults = { ...play.faults, stall: 0 };
    await play.run(1_000);
    expect(dom.heard).toEqual([[]]);
    await play.run(45_000);
    expect(dom.heard).toEqual([['one', 'two', 'three']]);
    expect(play.network.excessFramesMax).toBe(1);
  });

  test('one way: dom goes on to reach the node, which it does not hear', async () => {
    const { play, dom, link } = await open();
    play.network.cut([{ from: ['newyork'], to: 'all' }], 'nobody hears newyork');
    const heard = hear(link);
    link.send(Buffer.from('hello'));
    dom.links[0]?.send(Buffer.from('plan'));
    await play.run(60_000);
    expect([dom.heard, heard]).toEqual([[[]], ['plan']]);
  });

  test('after a partition what was said comes through, unless it was forgotten', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { play, dom, link } = await open({}, `partition ${seed}`);
      const heal = play.network.cut(apart(['newyork'], ['dom-1']), 'they are apart');
      link.send(Buffer.from('hello'));
      await play.run(5_000);
      expect(dom.heard).toEqual([[]]);
      heal();
      await play.run(10_000);
      outcomes.add(dom.heard.join());
    }
    expect([...outcomes].toSorted()).toEqual(['', 'hello']);
  });

  test('frames of an old connection arrive while a new one is up', async () => {
    const { play, dom, link, caller } = await open({ stall: 1 });
    link.send(Buffer.from('old'));
    play.faults = { ...play.faults, stall: 0 };
    link.close();
    const again = outcomeOf(play.network.dialer(caller).dial(signal));
    await play.run(400);
    again.value?.send(Buffer.from('new'));
    await play.run(400);
    expect(dom.heard).toEqual([[], ['new']]);
    await play.run(16_000);
    expect(dom.heard).toEqual([['old', 'end'], ['new']]);
  });

  test('dom hears the same words twice, on connections of their own', async () => {
    const { play, dom, link } = await open({ repeatedDial: 1 });
    for (const text of ['hello', 'report', 'report', 'report', 'report'])
      link.send(Buffer.from(text));
    await play.run(1_000);
    const [one = [], other = []] = dom.heard.toSorted((a, b) => a.length - b.length);
    expect(other).toEqual(['hello', 'report', 'report', 'report', 'report']);
    expect(one).toEqual(other.slice(0, one.length));
    expect([1, 2, 3]).toContain(one.length);
  });

  test('a process that is gone: what it sent may still arrive, and its peer learns or not', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 100; seed += 1) {
      const { play, dom, link, caller } = await open({}, `gone ${seed}`);
      link.send(Buffer.from('last'));
      caller.process.kill();
      await play.run(60_000);
      outcomes.add(dom.heard.join());
    }
    const broke = 'the connection broke';
    expect([...outcomes].toSorted()).toEqual(['', 'last', `last,${broke}`, broke]);
  });

  test('a dom that stands still accepts once it goes on', async () => {
    const play = new NetPlay();
    const dom = play.dom('dom-1');
    dom.process.pause();
    const link = outcomeOf(play.network.dialer(play.sub('newyork')).dial(signal));
    await play.run(1_000);
    link.value?.send(Buffer.from('hello'));
    await play.run(1_000);
    expect(dom.heard).toEqual([]);
    dom.process.resume();
    await play.run(1_000);
    expect(dom.heard).toEqual([['hello']]);
  });
});

async function open(
  faults: Partial<NetFaults> = {},
  seed = 'play',
): Promise<{ play: NetPlay; dom: PlayedDom; caller: Caller; link: Link }> {
  const { repeatedDial = 0, windowFrames = 16, ...later } = faults;
  const play = new NetPlay({ repeatedDial, windowFrames }, { seed });
  const dom = play.dom('dom-1');
  const caller = play.sub('newyork');
  const dialled = outcomeOf(play.network.dialer(caller).dial(signal));
  await play.run(1_000);
  if (dialled.value === undefined) throw new Error(`no link: ${dialled.error}`);
  play.faults = { ...play.faults, ...later };
  return { play, dom, caller, link: dialled.value };
}
