import { isChosenNode } from '../../api/routing.ts';
import type { Site } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import { shortList } from './words.ts';

/**
 * A warning, which keeps nothing from being ready: nodes that `spec.routing` names and that are no
 * edges, perhaps not yet. Undefined: there are none.
 */
export function routingResolved(
  { spec }: Site,
  edges: readonly NodeView[],
): ConditionInput | undefined {
  const { weights = {}, order = [], regions = [], fallback } = spec.routing;
  const choices = [...regions, ...(fallback === undefined ? [] : [fallback])];
  const named = [...Object.keys(weights), ...order, ...choices.flatMap(({ nodes = [] }) => nodes)];
  const known = new Set(edges.map(({ name }) => name));
  const unknown = [...new Set(named)].filter((name) => !known.has(name)).toSorted();
  const unmatched = choices.flatMap(({ labels = {} }) => {
    const chooses = ({ name, node }: NodeView): boolean =>
      isChosenNode({ labels }, { name, labels: node.metadata.labels });
    const entries = Object.entries(labels);
    if (entries.length === 0 || edges.some(chooses)) return [];
    return [entries.map(([key, value]) => `${key}=${value}`).join(',')];
  });
  const facts = [
    ...(unknown.length === 0 ? [] : [`no edge is called ${shortList(unknown)}`]),
    ...(unmatched.length === 0 ? [] : [`no edge has the labels ${shortList(unmatched)}`]),
  ];
  if (facts.length === 0) return undefined;
  const message = `${facts.join('; ')}: others answer instead; mend spec.routing, or add the node`;
  return { type: 'RoutingResolved', status: 'False', reason: 'NodesUnknown', message };
}
