import type { Check, CheckPorts } from '../check.ts';

/**
 * INV-10 for plans: what dom sends upon what a node holds adds up to what dom says it does. The
 * node finds out when it does not, and asks for everything, so nothing else tells. To a node that is
 * older than dom no plan adds up that holds what it does not know.
 */
export function deltasCheck(
  { violated }: CheckPorts,
  isOlder: (node: string) => boolean = () => false,
): Check {
  return {
    logged(host, { message, fields: { why } }) {
      if (isOlder(host)) return;
      const isMismatch = typeof why === 'string' && why.includes('does not add up');
      if (message === 'a plan cannot be built upon what is held' && isMismatch)
        violated(10, `${host} gets a delta that is wrong: ${why}`);
    },
  };
}
