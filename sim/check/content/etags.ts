import type { Check, CheckPorts } from '../check.ts';

/**
 * INV-27: the ETag of a file in a coding is the same on every node, and another one for other bytes,
 * so that of no two codings is it the same. Else a client that goes from node to node fetches anew
 * what it has, or keeps what is out of date.
 */
export function etagsCheck({ violated }: Pick<CheckPorts, 'violated'>): Check {
  /** By host, release, path and coding: the first that was seen, and where. */
  const seen = new Map<string, { readonly etag: string | undefined; readonly node: string }>();
  /** By host, release, path and ETag: the coding that has it. */
  const codings = new Map<string, string>();
  return {
    requested({ node, host, path, answer: { status, headers } }) {
      if (status !== 200) return;
      const field = (name: string): string | undefined =>
        headers.find(([each]) => each === name)?.[1];
      const file = `${host}${path} of ${field('b8s-release')}`;
      const etag = field('etag');
      const coding = field('content-encoding') ?? 'identity';
      const owner = codings.get(`${file} ${etag}`);
      if (owner === undefined) codings.set(`${file} ${etag}`, coding);
      else if (owner !== coding)
        violated(27, `${file} has ETag ${etag} on ${node} as ${coding}, which is that of ${owner}`);
      const first = seen.get(`${file} ${coding}`);
      if (first === undefined) seen.set(`${file} ${coding}`, { etag, node });
      else if (first.etag !== etag)
        violated(27, `${file} has ETag ${etag} on ${node}, and ${first.etag} on ${first.node}`);
    },
  };
}
