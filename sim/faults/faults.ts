import type { SeededRandom } from '../engine/random.ts';
import { CALM_HOSTS, drawHostFaults, HOST_FAULT_KINDS, type HostFaults } from './host-faults.ts';
import { CALM_NET, drawNetFaults, NET_FAULT_KINDS, type NetFaults } from './net-faults.ts';
import {
  CALM_STORE,
  drawStoreFaults,
  STORE_FAULT_KINDS,
  type StoreFaults,
} from './store-faults.ts';

/** How bad the weather is. */
export interface Faults extends HostFaults, NetFaults, StoreFaults {}

export const CALM: Faults = { ...CALM_HOSTS, ...CALM_NET, ...CALM_STORE };

/** What `--faults` takes, with the settings that each stands for. */
export const FAULT_KINDS: Readonly<Record<string, readonly (keyof Faults)[]>> = {
  ...HOST_FAULT_KINDS,
  ...NET_FAULT_KINDS,
  ...STORE_FAULT_KINDS,
};

/** Each seed draws its own mix and strength: few faults at once reach deeper than all of them. */
export function drawFaults(random: SeededRandom): Faults {
  return {
    ...drawHostFaults(random.fork('hosts')),
    ...drawNetFaults(random.fork('net')),
    ...drawStoreFaults(random.fork('store')),
  };
}

/** The same, with all but these kinds of faults taken away. Throws a RangeError for unknown ones. */
export function onlyFaults(faults: Faults, kinds: readonly string[]): Faults {
  const kept = kinds.flatMap((kind) => {
    const fields = FAULT_KINDS[kind];
    if (fields !== undefined) return fields;
    const known = Object.keys(FAULT_KINDS).toSorted().join(', ');
    throw new RangeError(`there is no fault ${kind}; there are: none, ${known}`);
  });
  return { ...CALM, ...Object.fromEntries(kept.map((field) => [field, faults[field]])) };
}

/** The kinds that do anything at all in this weather, sorted. */
export function kindsOf(faults: Faults): readonly string[] {
  return Object.entries(FAULT_KINDS)
    .filter(([, fields]) => fields.some((field) => faults[field] !== CALM[field]))
    .map(([kind]) => kind)
    .toSorted();
}
