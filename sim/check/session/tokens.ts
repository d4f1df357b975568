import type { Check, CheckPorts } from '../check.ts';

/** INV-35: a token buys one certificate. */
export function tokensCheck({ violated }: CheckPorts): Check {
  const redeemed = new Set<string>();
  return {
    redeemed(token) {
      const [id = ''] = token.split('.');
      if (redeemed.has(id)) violated(35, `token ${id} has bought two certificates`);
      redeemed.add(id);
    },
  };
}
