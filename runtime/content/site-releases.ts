import type { Site, SiteStatus } from '../../api/site.ts';

/** A release that a node is told to serve. */
export interface ToldRelease {
  readonly release: string;
  /** When dom switched to it, RFC 3339; absent: a dom that did not note it. */
  readonly switchedAt?: string | undefined;
}

/** What one edge is told to serve of a Site; undefined: nothing yet. */
export function releaseOn(status: SiteStatus | undefined, node: string): ToldRelease | undefined {
  const ahead = status?.ahead?.find(({ nodes }) => nodes.includes(node));
  if (ahead !== undefined) return ahead;
  const { release, switchedAt } = status ?? {};
  return release === undefined ? undefined : { release, switchedAt };
}

/** All that edges are told to serve: one release, or several while one is rolled out. */
export function releasesServed(status: SiteStatus | undefined): readonly string[] {
  const { release, ahead = [] } = status ?? {};
  const all = [...(release === undefined ? [] : [release]), ...ahead.map((each) => each.release)];
  return [...new Set(all)];
}

/** What edges are to have on disk: all that is served, and what is to be served next. */
export function releasesWanted({ spec, status }: Pick<Site, 'spec' | 'status'>): readonly string[] {
  const next = spec.content?.release;
  return [...new Set([...releasesServed(status), ...(next === undefined ? [] : [next])])];
}

/** Those at addresses of their own, the newest first, as the status has it. */
export function releasesPreviewed({
  spec,
  status,
}: Pick<Site, 'spec' | 'status'>): readonly string[] {
  return spec.previews === undefined ? [] : (status?.previews ?? []).map(({ release }) => release);
}

/** All that edges may fetch of a Site: what they are to have, and then what has a preview. */
export function releasesShown(site: Pick<Site, 'spec' | 'status'>): readonly string[] {
  return [...new Set([...releasesWanted(site), ...releasesPreviewed(site)])];
}
