import { CONTINENT_OF } from '../../../api/countries.ts';
import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import type { Whereabouts } from './geography.ts';

/** Candidates that are asked before others, because of where the client is. */
export interface Tier {
  readonly kind: 'country' | 'continent' | 'others' | 'fallback' | 'any';
  /** For people: "DE", "EU"; for the other kinds what they are for. */
  readonly of: string;
  /** Undefined: every candidate. */
  readonly nodes: readonly string[] | undefined;
}

export const ANY_TIER: Tier = { kind: 'any', of: 'any node', nodes: undefined };

/**
 * Whose turn it is for a client, the most specific first: its country's region, its continent's,
 * the fallback of clients of unknown place, the region for everyone else; at last any candidate, so
 * that an empty region is not an empty answer (INV-21).
 */
export function tiersFor(
  { regions, fallback }: Pick<GeoName, 'regions' | 'fallback'>,
  location: Whereabouts | undefined,
): readonly Tier[] {
  const { country = '', continent = CONTINENT_OF.get(country) ?? '' } = location ?? {};
  const own = regions.find(({ countries }) => countries.includes(country));
  const around = regions.find(({ continents }) => continents.includes(continent));
  const others = regions.find((each) => each.countries.length + each.continents.length === 0);
  const unplaced = location === undefined ? (fallback?.nodes ?? []) : [];
  return [
    ...(own === undefined ? [] : [{ kind: 'country', of: country, nodes: own.nodes } as const]),
    ...(around === undefined
      ? []
      : [{ kind: 'continent', of: continent, nodes: around.nodes } as const]),
    ...(unplaced.length === 0
      ? []
      : [{ kind: 'fallback', of: 'unknown places', nodes: unplaced } as const]),
    ...(others === undefined
      ? []
      : [{ kind: 'others', of: 'everyone else', nodes: others.nodes } as const]),
    ANY_TIER,
  ];
}
