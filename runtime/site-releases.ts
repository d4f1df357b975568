import type { Site, SiteStatus } from '../api/site.ts';

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
