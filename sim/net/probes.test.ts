import { expect, test } from 'vitest';
import { NetPlay, outcomeOf } from './net.fixture.ts';
import { apart } from './reachability.ts';

const { signal } = new AbortController();
const target = { node: 'sydney', address: '192.0.2.3', httpPort: 80 };

test.each([
  { when: 'it serves', serving: true, faults: {}, afterMs: 512, says: true },
  { when: 'nothing listens there', serving: false, faults: {}, afterMs: 512, says: false },
  {
    when: 'the probe is lost',
    serving: true,
    faults: { probeLoss: 1 },
    afterMs: 1_000,
    says: false,
  },
  {
    when: 'the way is too long',
    serving: true,
    faults: { slownessMax: 50 },
    afterMs: 1_000,
    says: false,
  },
])('$when', async ({ serving, faults, afterMs, says }) => {
  const play = new NetPlay(faults);
  if (serving) play.serving.add('sydney');
  const said = outcomeOf(play.network.probe(play.sub('london')).probe(target, signal));
  // Four crossings of 128 ms, rounded up once.
  await play.run(afterMs - 5);
  expect(said).toEqual({});
  await play.run(5);
  expect(said).toEqual({ value: says });
});

test('one nameserver does not see an edge that everybody else sees', async () => {
  const play = new NetPlay();
  play.serving.add('sydney');
  const heal = play.network.cut(apart(['london'], ['sydney']), 'they do not see each other');
  const probe = async (from: string) => {
    const said = outcomeOf(play.network.probe(play.sub(from)).probe(target, signal));
    await play.run(1_000);
    return said.value;
  };
  expect([await probe('london'), await probe('newyork')]).toEqual([false, true]);
  expect(play.network.reachesClients('sydney')).toBe(true);
  heal();
  expect(await probe('london')).toBe(true);
});

test('a host that is cut off answers no clients either; one on the other side of a split does', () => {
  const play = new NetPlay();
  const heal = play.network.cut(apart(['sydney'], ['london', 'dom-1']), 'a split');
  expect(play.network.reachesClients('sydney')).toBe(true);
  play.network.cutOff('sydney');
  expect(play.network.reachesClients('sydney')).toBe(false);
  play.network.join('sydney');
  heal();
  play.network.cut([{ from: ['sydney'], to: 'all' }], 'nobody hears sydney');
  expect(play.network.reachesClients('sydney')).toBe(false);
});
