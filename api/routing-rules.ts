import { countryProblem } from './countries.ts';
import type { Violation } from './kind.ts';
import { labelKeyProblem, labelValueProblem } from './labels.ts';
import { objectNameProblem } from './names.ts';
import type { PathStep } from './path.ts';
import type { NodeChoice, Routing, RoutingRegion } from './routing.ts';
import { about, aboutField, checkEach } from './rules.ts';

const STEPS = ['spec', 'routing'] as const;

/** What the schema cannot say of `spec.routing`. Nodes that do not exist are no violation. */
export function routingViolations(routing: Routing): readonly Violation[] {
  return [
    ...policyViolations(routing),
    ...(routing.regions ?? []).flatMap(regionViolations),
    ...doubles(routing.regions ?? []),
    ...fallbackViolations(routing.fallback),
  ];
}

function policyViolations({ policy, weights, order }: Routing): readonly Violation[] {
  const violations: Violation[] = [];
  const add = (field: 'weights' | 'order', message: string): void =>
    void violations.push(aboutField([...STEPS, field], message));
  if (weights !== undefined && policy !== 'weighted')
    add('weights', `has no effect with policy ${policy}; set policy: weighted`);
  if (order !== undefined && policy !== 'failover')
    add('order', `has no effect with policy ${policy}; set policy: failover`);
  if (policy === 'weighted' && !Object.values(weights ?? {}).some((weight) => weight > 0))
    add('weights', 'needs a node with a weight above 0, e.g. { london: 1 }');
  if (policy === 'failover' && order === undefined)
    add('order', 'is missing: name the preferred node first, e.g. [london, tokyo]');
  for (const node of Object.keys(weights ?? {})) {
    const problem = objectNameProblem(node);
    if (problem !== undefined) violations.push(aboutField([...STEPS, 'weights', node], problem));
  }
  return [...violations, ...checkEach([...STEPS, 'order'], order ?? [], objectNameProblem)];
}

function regionViolations(region: RoutingRegion, index: number): readonly Violation[] {
  const steps = [...STEPS, 'regions', index];
  return [
    ...checkEach([...steps, 'countries'], region.countries ?? [], countryProblem),
    ...choiceViolations(steps, region),
  ];
}

/** A region or fallback must choose nodes, or it would say nothing. */
function choiceViolations(
  steps: readonly PathStep[],
  { nodes, labels }: NodeChoice,
): readonly Violation[] {
  const isEmpty = nodes === undefined && Object.keys(labels ?? {}).length === 0;
  return [
    ...(isEmpty
      ? [aboutField(steps, 'chooses no node: add nodes: [london] or labels: { area: europe }')]
      : []),
    ...checkEach([...steps, 'nodes'], nodes ?? [], objectNameProblem),
    ...Object.entries(labels ?? {}).flatMap(([key, value]) => {
      const problem = labelKeyProblem(key) ?? labelValueProblem(value);
      return problem === undefined ? [] : [aboutField([...steps, 'labels', key], problem)];
    }),
  ];
}

/** One client, one region: what is named twice could mean either. */
function doubles(regions: readonly RoutingRegion[]): readonly Violation[] {
  const first = new Map<string, number>();
  const violations: Violation[] = [];
  const see = (word: string, index: number, steps: readonly PathStep[]): void => {
    const earlier = first.get(word);
    if (earlier === undefined) first.set(word, index);
    else {
      const message = `is in regions[${earlier}] already; keep it in one of them`;
      violations.push(about([...STEPS, 'regions', index, ...steps], word, message));
    }
  };
  for (const [index, { countries, continents }] of regions.entries()) {
    for (const [at, country] of (countries ?? []).entries()) see(country, index, ['countries', at]);
    for (const [at, name] of (continents ?? []).entries()) see(name, index, ['continents', at]);
  }
  const forOthers = regions.flatMap(({ countries, continents }, index) =>
    countries === undefined && continents === undefined ? [index] : [],
  );
  return [
    ...violations,
    ...forOthers.slice(1).map((index) => {
      const message = `names neither countries nor continents, as does regions[${forOthers[0]}]: only one can be for everyone else`;
      return aboutField([...STEPS, 'regions', index], message);
    }),
  ];
}

function fallbackViolations(fallback: Routing['fallback']): readonly Violation[] {
  if (fallback === undefined) return [];
  const { location, nodes, labels } = fallback;
  const steps = [...STEPS, 'fallback'];
  if (location !== undefined && nodes === undefined && labels === undefined) return [];
  return choiceViolations(steps, fallback);
}
