import { CONTINENT_NAMES } from './countries.ts';
import {
  choice,
  type Declared,
  decimal,
  group,
  integer,
  list,
  map,
  optional,
  text,
} from './field.ts';

/** How many nodes one list may name. */
const NODES_MAX = 1000;
const REGIONS_MAX = 64;

const nodesSchema = optional(
  list('Nodes by name.', text('A node.'), { minItems: 1, maxItems: NODES_MAX, uniqueItems: true }),
);

const labelsSchema = optional(
  map('Nodes that have all of these labels, beside those named in `nodes`.', text('The value.'), {
    maxProperties: 16,
  }),
);

const regionSchema = group('Where clients are, and the nodes for them.', {
  countries: optional(
    list('Countries (ISO 3166-1 alpha-2).', text('A code, e.g. DE.', { maxLength: 16 }), {
      minItems: 1,
      maxItems: 300,
      uniqueItems: true,
    }),
  ),
  continents: optional(
    list(
      'Continents, for clients whose country no region names, or whose own region has no node up.',
      choice('A continent.', CONTINENT_NAMES),
      { minItems: 1, maxItems: 7, uniqueItems: true },
    ),
  ),
  nodes: nodesSchema,
  labels: labelsSchema,
});

const fallbackSchema = group(
  'For clients whose place no database knows. Left out: they are spread over the nodes by their address prefix.',
  {
    location: optional(
      group('They count as standing here.', {
        latitude: decimal('Degrees north of the equator (WGS 84).', { minimum: -90, maximum: 90 }),
        longitude: decimal('Degrees east of Greenwich (WGS 84).', { minimum: -180, maximum: 180 }),
      }),
    ),
    nodes: nodesSchema,
    labels: labelsSchema,
  },
);

/**
 * `spec.routing` of a Site. Health comes first, then `regions` narrows, then `policy` chooses. Nodes
 * of a region that are down or cordoned make way for those of the next: the country's, the
 * continent's, those of the region that names neither, any.
 */
export const routingSchema = group(
  'Which nodes the names of the site resolve to.',
  {
    policy: choice(
      '`nearest`: the closest to the client; `weighted`: by share; `failover`: the first that is healthy.',
      ['nearest', 'weighted', 'failover'],
      { default: 'nearest' },
    ),
    answers: integer('How many nodes one DNS answer names.', {
      minimum: 1,
      maximum: 8,
      default: 1,
    }),
    weights: optional(
      map(
        'With policy `weighted`: the share of each node, by name; one not named here gets none.',
        integer('The share.', { minimum: 0, maximum: 1000 }),
        { maxProperties: NODES_MAX },
      ),
    ),
    order: optional(
      list('With policy `failover`: nodes by name, the preferred one first.', text('A node.'), {
        minItems: 1,
        maxItems: NODES_MAX,
        uniqueItems: true,
      }),
    ),
    regions: optional(
      list(
        'Which nodes are for whom: a country counts before its continent, and a region that names neither is for everyone else. While none of its nodes is up, the next region that fits answers, at last any node.',
        regionSchema,
        { minItems: 1, maxItems: REGIONS_MAX },
      ),
    ),
    fallback: optional(fallbackSchema),
  },
  { default: {} },
);

export type Routing = Declared<typeof routingSchema>;
export type RoutingRegion = NonNullable<Routing['regions']>[number];
export type RoutingFallback = NonNullable<Routing['fallback']>;
/** Nodes by name, by label, or both. */
export type NodeChoice = Pick<RoutingRegion, 'nodes' | 'labels'>;

/** Whether a region or fallback names the node, or its labels. */
export function isChosenNode(
  { nodes = [], labels }: NodeChoice,
  node: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined },
): boolean {
  if (nodes.includes(node.name)) return true;
  const wanted = Object.entries(labels ?? {});
  const has = node.labels ?? {};
  return (
    wanted.length > 0 &&
    wanted.every(([key, value]) => Object.hasOwn(has, key) && has[key] === value)
  );
}
