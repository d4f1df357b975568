import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { PEER_SERVER_NAME } from '../../runtime/content/peer-url.ts';
import type { DiskReader } from '../../runtime/disk/disk-reader.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../runtime/http.ts';
import type { Log } from '../../runtime/log.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';
import { takeTurns } from '../../runtime/turns.ts';
import { AccessRecorder, type RecorderParts } from './access-log/recorder.ts';
import { createBlobSource, type OnDamaged } from './blobs/blob-source.ts';
import { createMemoryCache, type MemoryCache } from './blobs/memory-cache.ts';
import { PeerBlobs } from './blobs/peer-blobs.ts';
import { Gate, type GateParts } from './gate.ts';
import { createHandler } from './handler.ts';
import { type LoadPorts, loadRelease } from './load-release.ts';
import type { EdgeRelease } from './release.ts';
import { ownCounter } from './respond.ts';
import { seeOffRefused } from './see-off.ts';
import { compileEdge, emptyEdgeTable } from './site-table.ts';
import type { EdgeSite, EdgeSnapshot, EdgeVariants } from './snapshot.ts';
import { EdgeCounters } from './traffic.ts';

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
  /** Counts and notes a request that was answered without the handler, for it had a body. */
  noteRefused(request: HttpRequest, answer: HttpAnswer): void;
  /** Resolves to the state of every site, in the snapshot's order, once it is in effect. */
  apply(sequence: number, snapshot: EdgeSnapshot): Promise<readonly SiteState[]>;
  /** What was answered since this was last asked. */
  takeTraffic(): readonly TrafficCount[];
  /** What is noted of requests. Undefined: nothing ever is. */
  readonly recorder: Pick<AccessRecorder, 'taken' | 'flush'> | undefined;
}

export interface EdgeParts {
  readonly disk: DiskReader;
  readonly nodeName: string;
  readonly log: Log;
  readonly cache?: MemoryCache;
  readonly onDamaged?: OnDamaged;
  /** Left out: nobody can look at passwords, and what they guard is closed. */
  readonly gate?: GateParts | undefined;
  /** Left out: other nodes cannot fetch from this one, whatever the snapshot says. */
  readonly clock?: Pick<Clock, 'nowMs'> | undefined;
  /** Left out: nothing is noted of requests, and nothing timed. */
  readonly accessLog?: RecorderParts | undefined;
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
  const recorder = parts.accessLog && new AccessRecorder(nodeName, parts.accessLog);
  const peerBlobs = parts.clock && new PeerBlobs({ disk, clock: parts.clock });

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
      ...{ nodeName, counters, notesOf: (site) => recorder?.notesOf(site) },
      releaseOf: (site) => next.get(site.uid),
      previewOf: (host) => next.get(host),
    });
    counters.keep(new Set(snapshot.sites.map(({ uid }) => uid)));
    serving = next;
    peerBlobs?.replace(snapshot.peering);
    states = snapshot.sites.map((site) => siteState(site, next, problems));
    for (const [release, problem] of problems)
      log.error({ release, problem }, 'release not loaded');
  }

  const answer = createHandler(() => table, {
    openBlob: createBlobSource(disk, cache, onDamaged),
    log,
    gate: parts.gate && new Gate(parts.gate),
    clock: parts.accessLog?.clock,
  });
  return {
    handler: (request) =>
      peerBlobs !== undefined && request.host === PEER_SERVER_NAME
        ? peerBlobs.answer(request)
        : answer(request),
    apply(sequence, snapshot) {
      newestSequence = Math.max(newestSequence, sequence);
      return inTurn(async () => {
        // What was overtaken while it waited is skipped.
        if (sequence === newestSequence) await load(snapshot);
        return states;
      });
    },
    noteRefused: (request, answer) => seeOffRefused(request, answer, ownCounter(request, table)),
    takeTraffic: () => counters.take(),
    recorder,
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
