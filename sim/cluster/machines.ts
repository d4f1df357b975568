import type { NodeRole } from '../../api/node.ts';
import type { SeededRandom } from '../engine/random.ts';

/** A computer that can be made a node, with what it declares of itself when it joins. */
export interface Machine {
  readonly name: string;
  readonly ipv4: string;
  /** Degrees, WGS 84. */
  readonly location: { readonly latitude: number; readonly longitude: number };
  readonly roles: readonly NodeRole[];
}

export interface MachineOptions {
  readonly count: number;
  /** Each nameserver probes each edge, so that many of them make a slow world. */
  readonly nameserversMax: number;
}

/** So many machines all over the globe. The first one has all roles: there is always one of each. */
export function drawMachines(
  { count, nameserversMax }: MachineOptions,
  random: SeededRandom,
): readonly Machine[] {
  let nameservers = 0;
  return Array.from({ length: count }, (_, index) => {
    const answers = nameservers < nameserversMax && (index < 3 || random.chance(0.5));
    if (answers) nameservers += 1;
    const servesToo = !answers || index < 3 || random.chance(0.7);
    const roles: NodeRole[] = [
      ...(servesToo ? ['edge' as const] : []),
      ...(answers ? ['nameserver' as const] : []),
    ];
    const [name, latitude, longitude] = CITIES[index] ?? anywhere(index, random);
    return { name, ipv4: addressOf(index), location: { latitude, longitude }, roles };
  });
}

/** Of 256 addresses, without the first and the last one. */
const HOSTS_PER_BLOCK = 254;

type City = readonly [name: string, latitude: number, longitude: number];

/** Inside of 198.18.0.0/15, which is for measuring networks (RFC 2544 appendix C.2.2). */
function addressOf(index: number): string {
  return `198.18.${Math.floor(index / HOSTS_PER_BLOCK)}.${1 + (index % HOSTS_PER_BLOCK)}`;
}

/** Uniform over the sphere, not over the degrees. */
function anywhere(index: number, random: SeededRandom): City {
  const latitude = (Math.asin(2 * random.next() - 1) * 180) / Math.PI;
  const longitude = 360 * random.next() - 180;
  const round = (degrees: number): number => Math.round(degrees * 100) / 100;
  return [`node-${index + 1}`, round(latitude), round(longitude)];
}

const CITIES: readonly City[] = [
  ['london', 51.51, -0.13],
  ['newyork', 40.71, -74.01],
  ['sydney', -33.87, 151.21],
  ['tokyo', 35.68, 139.69],
  ['saopaulo', -23.55, -46.63],
  ['frankfurt', 50.11, 8.68],
  ['singapore', 1.35, 103.82],
  ['johannesburg', -26.2, 28.05],
  ['mumbai', 19.08, 72.88],
  ['losangeles', 34.05, -118.24],
  ['stockholm', 59.33, 18.07],
  ['auckland', -36.85, 174.76],
  ['santiago', -33.45, -70.67],
  ['nairobi', -1.29, 36.82],
  ['seoul', 37.57, 126.98],
  ['toronto', 43.65, -79.38],
  ['madrid', 40.42, -3.7],
  ['dubai', 25.2, 55.27],
  ['lagos', 6.52, 3.38],
  ['mexico', 19.43, -99.13],
  ['warsaw', 52.23, 21.01],
  ['honolulu', 21.31, -157.86],
  ['suva', -18.14, 178.44],
  ['reykjavik', 64.15, -21.94],
  ['anchorage', 61.22, -149.9],
  ['helsinki', 60.17, 24.94],
  ['lima', -12.05, -77.04],
  ['cairo', 30.04, 31.24],
  ['jakarta', -6.21, 106.85],
  ['vancouver', 49.28, -123.12],
];
