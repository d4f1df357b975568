import { compilePattern, type Pattern } from './path-pattern.ts';
import type { EdgeFile, EdgeRelease } from './release.ts';
import type { FileOptions } from './represent.ts';
import type { EdgeHeaderRule, EdgeSite, EdgeSnapshot } from './snapshot.ts';
import type { Counter, EdgeCounters } from './traffic.ts';

export interface CompiledSite {
  readonly uid: string;
  readonly release: EdgeRelease | undefined;
  /** Of what is answered from that release. */
  readonly counter: Counter | undefined;
  /** Undefined when the release has no such file. */
  readonly notFoundPage: EdgeFile | undefined;
  readonly fileOptions: FileOptions;
  readonly singlePageApp: boolean;
  readonly redirects: readonly CompiledRedirect[];
  readonly headers: readonly CompiledHeader[];
}

export interface CompiledRedirect {
  readonly from: Pattern;
  /** Printable ASCII, fit for a `Location` once its `*` is filled in. */
  readonly to: string;
  readonly status: number;
}

export interface CompiledHeader {
  readonly path: Pattern;
  readonly name: string;
  readonly value: string;
}

/** What `respond` answers from: immutable, replaced whole. */
export interface EdgeTable {
  readonly nodeName: string;
  readonly httpsPort: number;
  readonly siteByHost: ReadonlyMap<string, CompiledSite>;
  /** Key authorizations by `<host>/<token>`. */
  readonly proofs: ReadonlyMap<string, string>;
}

export interface EdgeOptions {
  readonly nodeName: string;
  /** The release that a site is to be answered with, which must be loaded; undefined: none yet. */
  readonly releaseOf: (site: EdgeSite) => EdgeRelease | undefined;
  /** Left out: nothing is counted. */
  readonly counters?: Pick<EdgeCounters, 'counterOf'>;
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
  return {
    nodeName: options.nodeName,
    httpsPort: snapshot.httpsPort,
    siteByHost,
    proofs: new Map(
      snapshot.proofs?.http.map((each) => [`${each.host}/${each.token}`, each.keyAuthorization]),
    ),
  };
}

/** The table of a worker that has been told nothing yet. */
export function emptyEdgeTable(nodeName: string): EdgeTable {
  return { nodeName, httpsPort: 443, siteByHost: new Map(), proofs: new Map() };
}

function compileSite(site: EdgeSite, { releaseOf, counters }: EdgeOptions): CompiledSite {
  const release = releaseOf(site);
  return {
    uid: site.uid,
    release,
    counter: counters?.counterOf(site.uid, release?.digest),
    notFoundPage: release?.files.get(site.notFoundPage),
    fileOptions: fileOptions(site, release),
    singlePageApp: site.singlePageApp,
    redirects: site.redirects.map((rule) => ({
      from: compilePattern(rule.from),
      to: encodeLocation(rule.to),
      status: REDIRECT_STATUSES.has(rule.status) ? rule.status : 308,
    })),
    headers: site.headers.filter(isAllowed).map((rule) => ({
      path: compilePattern(rule.path),
      name: rule.name.toLowerCase(),
      value: rule.value,
    })),
  };
}

function fileOptions(site: EdgeSite, release: EdgeRelease | undefined): FileOptions {
  const { mimeTypes, immutableAssets = false } = site.options ?? {};
  const sendable = [...(mimeTypes ?? [])].filter(([, type]) => HEADER_VALUE.test(type));
  return {
    // The date is that of the release that the site should have: an older one has another.
    modifiedS: release?.digest === site.release ? site.switchedAtS : undefined,
    immutableAssets,
    mimeTypes: new Map(sendable),
  };
}

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function encodeLocation(to: string): string {
  return to.toWellFormed().replace(/[^!-~]+/gu, encodeURIComponent);
}

/** Headers that frame the message or name what is served: a rule cannot make them lie. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'b8s-node',
  'b8s-release',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'date',
  'etag',
  'keep-alive',
  'location',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const HEADER_VALUE = /^[\t\u0020-\u007e]*$/u;

/** What Node would refuse to send must not be able to break a response (RFC 9110 §5.5, §5.6.2). */
function isAllowed({ name, value }: EdgeHeaderRule): boolean {
  return (
    /^[!#$%&'*+\-.^_`|~\w]+$/u.test(name) &&
    HEADER_VALUE.test(value) &&
    !RESERVED_HEADERS.has(name.toLowerCase())
  );
}
