import type { SeededRandom } from '../engine/random.ts';
import type { Routing, Wish } from './wish.ts';

/** Some way to send requests to the nodes that there are by now. */
export function drawRouting(wish: Wish, random: SeededRandom): Routing {
  const answers = random.integer(1, 3);
  const nodes = [...wish.nodes.keys()].toSorted();
  const policy = random.pick(['nearest', 'nearest', 'weighted', 'failover'] as const);
  if (nodes.length === 0 || policy === 'nearest') return { policy: 'nearest', answers };
  if (policy === 'failover') {
    const shuffled = nodes
      .map((name) => ({ name, at: random.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ name }) => name);
    return { policy, answers, order: shuffled.slice(0, random.integer(1, nodes.length)) };
  }
  const weights = Object.fromEntries(nodes.map((name) => [name, random.pick([0, 0, 1, 4])]));
  weights[random.pick(nodes)] = 1;
  return { policy, answers, weights };
}
