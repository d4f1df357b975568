import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Setting } from '../run/setting.ts';
import { declareFirst, type Hand, join, OPERATIONS, type OperationKind } from './operations.ts';

export interface PeoplePorts {
  readonly setting: Setting;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
}

/** Or longer, where there are so few changes that they would all come at the beginning. */
const THINKING_MS_MAX = 15_000;
/** Whose sites are whose. */
const SITES: readonly (readonly string[])[] = [
  ['blog', 'docs'],
  ['shop', 'wiki'],
];
/** How many of the machines are nodes from the start; the first one always is. */
const JOINED_AT_START = 0.8;

/** All people do what the seed wants of them; resolves once the last one is content. */
export async function startPeople(cluster: Cluster, ports: PeoplePorts): Promise<void> {
  const { setting, random } = ports;
  const people = Array.from({ length: setting.users }, (_, index) =>
    live(cluster, { ...ports, index, random: random.fork(`user ${index + 1}`) }),
  );
  await Promise.all(people);
}

async function live(cluster: Cluster, ports: PeoplePorts & { index: number }): Promise<void> {
  const { setting, scheduler, random, index } = ports;
  const clock = scheduler.clock();
  const role = index === 0 ? 'operator' : 'other';
  const user = cluster.newUser(`user-${index + 1}`);
  const hand = (name: string): Hand => ({
    ...{ cluster, user, clock, sites: SITES[index] ?? [] },
    random: random.fork(name),
  });
  await clock.sleep(random.integer(0, 2_000));
  const joins = index === 0 ? joinAtStart(cluster, hand('machines'), random.fork('joins')) : [];
  await declareFirst(hand('first'), role);
  await Promise.all(joins);
  const thinkingMsMax = Math.max(THINKING_MS_MAX, setting.stormMs / setting.operations);
  for (let number = 1; number <= setting.operations; number += 1) {
    const own = random.fork(`operation ${number}`);
    const name = draw(own, role);
    if (setting.leftOut.includes(`${index + 1}.${number}`)) continue;
    await clock.sleep(own.integer(0, thinkingMsMax));
    await OPERATIONS[name]?.run(hand(`do ${number}`));
  }
}

function joinAtStart(cluster: Cluster, hand: Hand, random: SeededRandom): Promise<void>[] {
  const [first, ...others] = cluster.machines;
  const chosen = others.filter(() => random.chance(JOINED_AT_START));
  return [...(first === undefined ? [] : [first]), ...chosen].map(async (machine) => {
    await hand.clock.sleep(random.integer(0, 2_000));
    await join(hand, machine);
  });
}

/** The name of an operation that this person may do, by weight. */
function draw(random: SeededRandom, role: OperationKind['by'] | 'other'): string {
  const may = Object.entries(OPERATIONS).filter(
    ([, { by }]) => by === 'anyone' || role === 'operator',
  );
  const total = may.reduce((sum, [, { weight }]) => sum + weight, 0);
  let left = random.next() * total;
  for (const [name, { weight }] of may) {
    left -= weight;
    if (left < 0) return name;
  }
  return 'look';
}
