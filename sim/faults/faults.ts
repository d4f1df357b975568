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

/** The kinds of faults that befall a cluster, with the settings that each stands for. */
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

/** They say how hard another one hits, and do nothing by themselves. */
const SIZES: ReadonlySet<keyof Faults> = new Set(['watchHoldMsMax'] as const);

/** The same, with all but these kinds of faults taken away, and nothing left of those that are off. */
export function onlyFaults(faults: Faults, kinds: ReadonlySet<string>): Faults {
  const on = kindsOf(faults).filter((kind) => kinds.has(kind));
  const kept = new Set(on.flatMap((kind) => FAULT_KINDS[kind] ?? []));
  const calm = Object.entries(CALM).filter(([field]) => !kept.has(field as keyof Faults));
  return { ...faults, ...Object.fromEntries(calm) };
}

/** The kinds that do anything at all in this weather, sorted. */
export function kindsOf(faults: Faults): readonly string[] {
  return Object.entries(FAULT_KINDS)
    .filter(([, fields]) => fields.some((field) => isOn(faults, field)))
    .map(([kind]) => kind)
    .toSorted();
}

function isOn(faults: Faults, field: keyof Faults): boolean {
  return !SIZES.has(field) && faults[field] !== CALM[field];
}
