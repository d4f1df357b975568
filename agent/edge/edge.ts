import type { Digest } from '../../runtime/digest.ts';
import type { DiskReader } from '../../runtime/disk-reader.ts';
import type {
  AnswerMemo,
  HttpAnswer,
  HttpHandler,
  HttpHeaders,
  HttpRequest,
} from '../../runtime/http.ts';
import type { Log } from '../../runtime/log.ts';
import type { TrafficCount } from '../../runtime/site-traffic.ts';
import { takeTurns } from '../../runtime/turns.ts';
import { admit } from './admit.ts';
import { AnswerCache } from './answer-cache.ts';
import { type BlobSource, createBlobSource, type OnDamaged } from './blob-source.ts';
import { Gate, type GateParts } from './gate.ts';
import { type LoadPorts, loadRelease } from './load-release.ts';
import { createMemoryCache, type MemoryCache } from './memory-cache.ts';
import { openBody } from './open-body.ts';
import type { EdgeRelease } from './release.ts';
import { respond } from './respond.ts';
import type { EdgeResponse } from './response.ts';
import { compileEdge, type EdgeTable, emptyEdgeTable } from './site-table.ts';
import type { EdgeSite, EdgeSnapshot, EdgeVariants } from './snapshot.ts';
import { countAnswer, EdgeCounters } from './traffic.ts';

/** What an edge serves of one site. */
export interface SiteState {
  readonly uid: string;
  /** The release that requests are answered with; absent: none. */
  readonly release?: Digest;
  /** Fingerprint of the certificate that its first host is answered with; absent: none. */
  readonly certificate?: string;
  /** Why something is not as asked for, for a person. */
  readonly problem?: string;
  /** What of the release's own rules is not used, for a person. */
  readonly warning?: string;
  /** Releases that are answered with at hosts of their own; absent: none. */
  readonly previews?: readonly Digest[];
}

/**
 * An edge without sockets: what it serves and how it answers.
 *
 * Guarantees: a snapshot takes effect whole and at once, and only when the manifests it needs are
 * loaded; a site whose new release cannot be loaded keeps the one it has (INV-27); a snapshot
 * older than the newest one given is never applied.
 */
export interface Edge {
  readonly handler: HttpHandler;
  /** Resolves to the state of every site, in the snapshot's order, once it is in effect. */
  apply(sequence: number, snapshot: EdgeSnapshot): Promise<readonly SiteState[]>;
  /** What was answered since this was last asked. */
  takeTraffic(): readonly TrafficCount[];
}

export interface EdgeParts {
  readonly disk: DiskReader;
  readonly nodeName: string;
  readonly log: Log;
  readonly cache?: MemoryCache;
  readonly onDamaged?: OnDamaged;
  /** Left out: nobody can look at passwords, and what they guard is closed. */
  readonly gate?: GateParts | undefined;
}

export function createEdge(parts: EdgeParts): Edge {
  const { disk, nodeName, log, cache = createMemoryCache(), onDamaged = noted } = parts;
  let table = emptyEdgeTable(nodeName);
  let states: readonly SiteState[] = [];
  let newestSequence = -1;
  /** What each `Shown` is answered with, by its key. Holds the only copies of parsed manifests. */
  let serving: ReadonlyMap<string, EdgeRelease> = new Map();
  const inTurn = takeTurns();
  const counters = new EdgeCounters();

  async function load(snapshot: EdgeSnapshot): Promise<void> {
    const { releases, problems } = await loadReleases({ disk, log, onDamaged }, snapshot, [
      ...serving.values(),
    ]);
    const next = new Map<string, EdgeRelease>();
    for (const { key } of snapshot.sites.flatMap(shownOf)) {
      const release = releases.get(key) ?? serving.get(key);
      if (release !== undefined) next.set(key, release);
    }
    table = compileEdge(snapshot, {
      ...{ nodeName, counters },
      releaseOf: (site) => next.get(site.uid),
      previewOf: (host) => next.get(host),
    });
    counters.keep(new Set(snapshot.sites.map(({ uid }) => uid)));
    serving = next;
    states = snapshot.sites.map((site) => siteState(site, next, problems));
    for (const [release, problem] of problems)
      log.error({ release, problem }, 'release not loaded');
  }

  return {
    handler: createHandler(() => table, {
      openBlob: createBlobSource(disk, cache, onDamaged),
      log,
      gate: parts.gate && new Gate(parts.gate),
    }),
    apply(sequence, snapshot) {
      newestSequence = Math.max(newestSequence, sequence);
      return inTurn(async () => {
        // What was overtaken while it waited is skipped.
        if (sequence === newestSequence) await load(snapshot);
        return states;
      });
    },
    takeTraffic: () => counters.take(),
  };
}

function noted(): void {
  // Nobody is there to mend it.
}

/** A release that requests are answered with. */
interface Shown {
  /** The uid of the site, or the host of a preview. */
  readonly key: string;
  readonly release: Digest;
  readonly variants: readonly EdgeVariants[];
}

/** The site's own first. */
function shownOf({ uid, release, variants = [], previews = [] }: EdgeSite): readonly Shown[] {
  const own = release === undefined ? [] : [{ key: uid, release, variants }];
  return [
    ...own,
    ...previews.flatMap(({ host, release: shown }) =>
      shown === undefined ? [] : [{ key: host, release: shown, variants }],
    ),
  ];
}

interface LoadedReleases {
  /** By the key of what is shown. */
  readonly releases: ReadonlyMap<string, EdgeRelease>;
  readonly problems: ReadonlyMap<Digest, string>;
}

async function loadReleases(
  ports: LoadPorts,
  snapshot: EdgeSnapshot,
  serving: readonly EdgeRelease[],
): Promise<LoadedReleases> {
  const releases = new Map<string, EdgeRelease>();
  const problems = new Map<Digest, string>();
  const held = Map.groupBy(serving, ({ digest }) => digest);
  for (const { key, release, variants } of snapshot.sites.flatMap(shownOf)) {
    if (problems.has(release)) continue;
    const wanted = { release, variants: variants.find((each) => each.release === release) };
    try {
      const same = held.get(release) ?? [];
      const loaded = await loadRelease(ports, wanted, same);
      releases.set(key, loaded);
      // Sites of the same release share it.
      if (!same.includes(loaded)) held.set(release, [...same, loaded]);
    } catch (error) {
      ports.onDamaged(release);
      problems.set(release, error instanceof Error ? error.message : String(error));
    }
  }
  return { releases, problems };
}

function siteState(
  site: EdgeSite,
  serving: ReadonlyMap<string, EdgeRelease>,
  problems: ReadonlyMap<Digest, string>,
): SiteState {
  const release = serving.get(site.uid);
  const previews = (site.previews ?? []).flatMap(({ host }) => serving.get(host)?.digest ?? []);
  const problem = site.release === undefined ? undefined : problems.get(site.release);
  const warning = release?.rules.warning;
  return {
    uid: site.uid,
    ...(release === undefined ? {} : { release: release.digest }),
    ...(problem === undefined ? {} : { problem }),
    ...(warning === undefined ? {} : { warning }),
    ...(previews.length > 0 && { previews }),
  };
}

interface HandlerParts {
  readonly openBlob: BlobSource;
  readonly log: Log;
  readonly gate: Gate | undefined;
}

/** Joins the pure answer with the bytes it names. */
function createHandler(table: () => EdgeTable, { openBlob, log, gate }: HandlerParts): HttpHandler {
  const answers = new AnswerCache(respond);
  function join(request: HttpRequest): HttpAnswer | Promise<HttpAnswer> {
    const { response, memo } = answers.find(request, table());
    const { check } = response;
    if (check === undefined) return send(request, response, memo);
    const again = (granted: string): EdgeResponse => respond(request, table(), granted);
    const admitted = admit(gate, { request, response, check, again });
    return admitted instanceof Promise
      ? admitted.then((each) => send(request, each))
      : send(request, admitted);
  }
  function send(
    request: HttpRequest,
    response: EdgeResponse,
    memo?: AnswerMemo,
  ): HttpAnswer | Promise<HttpAnswer> {
    const { status, headers, counter } = response;
    const body = openBody(response.body, openBlob);
    if (!(body instanceof Promise)) {
      countAnswer(counter, status);
      return memo === undefined ? { status, headers, body } : { status, headers, body, memo };
    }
    return body.then(
      (opened) => {
        countAnswer(counter, status);
        const answer = { status, headers, body: opened };
        return memo === undefined ? answer : { ...answer, memo };
      },
      (error: unknown) => {
        // A compressed form is never needed: the file as it is does.
        const isForm = headers.some(([name]) => name === 'content-encoding');
        if (isForm) return join(asItIs(request));
        countAnswer(counter, UNREADABLE);
        return unreadable(error, { log, instead: headers });
      },
    );
  }
  return join;
}

function asItIs(request: HttpRequest): HttpRequest {
  const { memo: _ofOtherHeaders, ...rest } = request;
  return { ...rest, headers: { ...request.headers, 'accept-encoding': undefined } };
}

const UNREADABLE = 503;

/** Another node may have the bytes: 503 lets clients and monitors try again. */
function unreadable(
  error: unknown,
  { log, instead }: { readonly log: Log; readonly instead: HttpHeaders },
): HttpAnswer {
  log.error({ error: String(error) }, 'a file could not be read');
  const headers: HttpHeaders = [
    // A preview is left out by search engines whatever it says.
    ...instead.filter(([name]) => name === 'x-robots-tag'),
    ['content-type', 'text/plain;charset=utf-8'],
    ['cache-control', 'no-store'],
    ['retry-after', '5'],
  ];
  return { status: UNREADABLE, headers, body: 'The file could not be read.\n' };
}
