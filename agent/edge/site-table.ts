import { suffixOfPreview } from '../../api/previews.ts';
import type { HttpHeaders } from '../../runtime/http.ts';
import { HEADER_VALUE } from '../../runtime/release-rules/header-names.ts';
import { NO_RULES } from '../../runtime/release-rules/release-rules.ts';
import type { SiteNotes } from './access-log/recorder.ts';
import type { AddressRules } from './find-file.ts';
import { formatHttpDate } from './http/http-date.ts';
import type { FileOptions } from './http/represent.ts';
import { presetHeaders } from './http/security-headers.ts';
import type { EdgeRelease } from './release.ts';
import { type CompiledAuth, compileAuth } from './rules/access.ts';
import { compileHeaders, type HeaderTable } from './rules/header-table.ts';
import { compileRedirects, type RedirectTable } from './rules/redirect-table.ts';
import type { EdgeSite, EdgeSnapshot } from './snapshot.ts';
import { type Counter, type EdgeCounters, uncounted } from './traffic.ts';

export interface CompiledSite {
  readonly uid: string;
  readonly release: EdgeRelease | undefined;
  /** Of what is answered from that release… */
  readonly counter: Counter | undefined;
  /** …and from none: of what is said before a file is looked for. */
  readonly ownCounter: Counter | undefined;
  /** Of the page for paths that there are not; empty: a built-in page. */
  readonly notFoundPage: string;
  readonly fileOptions: FileOptions;
  readonly singlePageApp: boolean;
  readonly addresses: AddressRules;
  /** Hosts of the site that are sent to this one; undefined: none are. */
  readonly canonical: { readonly host: string; readonly aliases: ReadonlySet<string> } | undefined;
  readonly redirects: RedirectTable;
  /** What every answer carries, before the rules. */
  readonly presets: HttpHeaders;
  readonly headers: HeaderTable;
  /** Undefined: nobody is asked for a password. */
  readonly auth: CompiledAuth | undefined;
  /** A release at a host of its own, which search engines are told to leave out; left out: no. */
  readonly isPreview?: true;
}

/** What `respond` answers from: immutable, replaced whole. */
export interface EdgeTable {
  readonly nodeName: string;
  readonly httpsPort: number;
  readonly siteByHost: ReadonlyMap<string, CompiledSite>;
  /** Of sites with previews, what their hosts end in behind the digits of a release. */
  readonly previewSuffixes: ReadonlySet<string>;
  /** Key authorizations by `<host>/<token>`. */
  readonly proofs: ReadonlyMap<string, string>;
}

export interface EdgeOptions {
  readonly nodeName: string;
  /** The release that a site is to be answered with, which must be loaded; undefined: none yet. */
  readonly releaseOf: (site: EdgeSite) => EdgeRelease | undefined;
  /** The release of a preview, by its host, which must be loaded; left out: there are none. */
  readonly previewOf?: (host: string) => EdgeRelease | undefined;
  /** Left out: nothing is counted. */
  readonly counters?: Pick<EdgeCounters, 'counterOf'>;
  /** Who is told of each answer of a site; left out: nobody. */
  readonly notesOf?: (site: EdgeSite) => SiteNotes | undefined;
}

/** Compiles a snapshot into what `respond` looks up. Pure; linear in sites, hosts and rules. */
export function compileEdge(snapshot: EdgeSnapshot, options: EdgeOptions): EdgeTable {
  const siteByHost = new Map<string, CompiledSite>();
  for (const site of snapshot.sites) {
    const compiled = compileSite(site, options);
    for (const host of site.hosts) {
      if (!siteByHost.has(host)) siteByHost.set(host, compiled);
    }
  }
  const previews = snapshot.sites.flatMap((site) => compilePreviews(site, options));
  for (const [host, preview] of previews) {
    if (!siteByHost.has(host)) siteByHost.set(host, preview);
  }
  return {
    nodeName: options.nodeName,
    httpsPort: snapshot.httpsPort,
    siteByHost,
    previewSuffixes: new Set(previews.flatMap(([host]) => suffixOfPreview(host) ?? [])),
    proofs: new Map(
      snapshot.proofs?.http.map((each) => [`${each.host}/${each.token}`, each.keyAuthorization]),
    ),
  };
}

/** The table of a worker that has been told nothing yet. */
export function emptyEdgeTable(nodeName: string): EdgeTable {
  return {
    ...{ nodeName, httpsPort: 443, siteByHost: new Map(), proofs: new Map() },
    previewSuffixes: new Set(),
  };
}

/** Each like the site itself, but of one host, and nobody is sent elsewhere from there. */
function compilePreviews(
  site: EdgeSite,
  { nodeName, previewOf, notesOf }: EdgeOptions,
): readonly (readonly [host: string, site: CompiledSite])[] {
  // What is seen of previews says nothing of how the site does, so it is not counted.
  const counter = uncounted(notesOf?.(site));
  return (site.previews ?? []).map(({ host, release }) => {
    const { release: _, switchedAtS: __, ...rest } = site;
    const own = { ...rest, hosts: [host], ...(release !== undefined && { release }) };
    const compiled = compileSite(own, { nodeName, releaseOf: () => previewOf?.(host) });
    return [host, { ...compiled, counter, ownCounter: counter, isPreview: true }];
  });
}

function compileSite(site: EdgeSite, { releaseOf, counters, notesOf }: EdgeOptions): CompiledSite {
  const release = releaseOf(site);
  const notes = notesOf?.(site);
  const rules = release?.rules ?? NO_RULES;
  const { canonicalHost = false, hideHtml = false, trailingSlash = 'auto' } = site.options ?? {};
  const [host, ...aliases] = site.hosts;
  return {
    uid: site.uid,
    release,
    counter: counters?.counterOf(site.uid, release?.digest, notes),
    ownCounter: counters?.counterOf(site.uid, undefined, notes),
    notFoundPage: site.notFoundPage,
    fileOptions: fileOptions(site, release),
    singlePageApp: site.singlePageApp,
    addresses: { hideHtml, trailingSlash },
    canonical:
      canonicalHost && host !== undefined ? { host, aliases: new Set(aliases) } : undefined,
    redirects: compileRedirects(site.redirects, rules.redirects),
    presets: presetHeaders(site.options),
    headers: compileHeaders(site.headers, rules.headers),
    auth: site.auth && compileAuth(site.auth),
  };
}

function fileOptions(site: EdgeSite, release: EdgeRelease | undefined): FileOptions {
  const { mimeTypes, immutableAssets = false } = site.options ?? {};
  // The date is that of the release that the site should have: an older one has another.
  const modifiedS = release?.digest === site.release ? site.switchedAtS : undefined;
  const sendable = [...(mimeTypes ?? [])].filter(([, type]) => HEADER_VALUE.test(type));
  return {
    modifiedS,
    lastModified: modifiedS === undefined ? undefined : formatHttpDate(modifiedS),
    immutableAssets,
    mimeTypes: new Map(sendable),
  };
}
