import { drawMachines, type Machine } from '../cluster/machines.ts';
import { seededRandom } from '../engine/random.ts';
import type { Setting } from './setting.ts';

const NAMESERVERS_MAX = 4;

/**
 * The machines of a world, without those that are left out. Throws a RangeError where the first of
 * them, which is a node from the start, could not do all that somebody has to do.
 */
export function machinesOf(setting: Setting): readonly Machine[] {
  const machines = machinesLeft(setting);
  if (isEnough(machines)) return machines;
  const names = machines.map(({ name }) => name).join(', ') || 'none';
  throw new RangeError(`the first machine that is left is no edge and nameserver: ${names}`);
}

/** Whether a world of that setting has somebody who can do all that has to be done. */
export function hasMachines(setting: Setting): boolean {
  return isEnough(machinesLeft(setting));
}

/** The names of those that a world could do without, the last one first. */
export function sparedMachines(setting: Setting): readonly string[] {
  const machines = machinesLeft(setting);
  return machines
    .map(({ name }) => name)
    .filter((name) => isEnough(machines.filter((each) => each.name !== name)))
    .toReversed();
}

function machinesLeft({ seed, subs, leftOut }: Setting): readonly Machine[] {
  // A stream of their own: who is left out changes nothing of the others.
  const random = seededRandom(`world ${seed}`).fork('machines');
  const drawn = drawMachines({ count: subs, nameserversMax: NAMESERVERS_MAX }, random);
  return drawn.filter(({ name }) => !leftOut.includes(name));
}

function isEnough([first]: readonly Machine[]): boolean {
  return first?.roles.includes('edge') === true && first.roles.includes('nameserver');
}
