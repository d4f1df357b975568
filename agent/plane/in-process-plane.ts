import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { DiskReader } from '../../runtime/disk/disk-reader.ts';
import type { HttpAnswer, HttpRequest } from '../../runtime/http.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { takeTurns } from '../../runtime/turns.ts';
import type { DnsClient } from '../dns/answer.ts';
import { assertSameAnswer } from '../dns/compiled/check.ts';
import type { SignPort } from '../dns/dnssec/ecdsa.ts';
import type { ForeignBook } from '../dns/foreign/foreign-book.ts';
import { lengthOf, type RecorderParts, type SiteLines } from '../edge/access-log/recorder.ts';
import { readVerified } from '../edge/blobs/blob-source.ts';
import type { MemoryCache } from '../edge/blobs/memory-cache.ts';
import { chooseCertificates } from '../edge/certificate-table.ts';
import { createEdge } from '../edge/edge.ts';
import type { GateParts } from '../edge/gate.ts';
import { shownTokens } from '../edge/proofs.ts';
import { createDnsEngine } from './dns-engine.ts';
import { createMemoryGeoStore } from './memory-geo-store.ts';
import type { DataPlane, WriteLines } from './plane.ts';

/** A data plane without threads and sockets, which is asked by calling it. */
export interface InProcessPlane extends DataPlane {
  /** Undefined: nothing is sent back. */
  resolve(query: Uint8Array, client: DnsClient, nowMs: number): Uint8Array | undefined;
  request(request: HttpRequest): Promise<HttpAnswer>;
}

export interface InProcessPlaneParts {
  readonly disk: DiskReader;
  readonly nodeName: string;
  readonly log?: Log;
  readonly cache?: MemoryCache;
  /** Run by whoever made it. */
  readonly foreign?: ForeignBook;
  /** Left out: nobody can look at passwords, and what they guard is closed. */
  readonly gate?: GateParts;
  /** Left out: other nodes cannot fetch from this one. */
  readonly clock?: Pick<Clock, 'nowMs'>;
  /** Left out: nothing is noted of requests. */
  readonly accessLog?: Omit<RecorderParts, 'hand'>;
  /** What makes the signatures of signed zones; left out: OpenSSL, no two of them alike. */
  readonly sign?: SignPort;
}

/** The same code as in the workers, for simulation, benchmarks and tests. */
export function createInProcessPlane(parts: InProcessPlaneParts): InProcessPlane {
  const { disk, log = silentLog } = parts;
  let onDamaged: (blob: Digest) => void = () => undefined;
  let write: WriteLines = async () => undefined;
  const hand = (lines: readonly SiteLines[]): void =>
    void write(lines).then(() => edge.recorder?.taken(lengthOf(lines)));
  const { accessLog } = parts;
  const edge = createEdge({
    ...{ ...parts, log, onDamaged: (blob) => onDamaged(blob) },
    accessLog: accessLog && { ...accessLog, hand },
  });
  const geo = createMemoryGeoStore({
    read: (digest) => readVerified(disk, digest),
    onDamaged: (blob) => onDamaged(blob),
  });
  const dns = createDnsEngine({ ...parts, log, checkFast: assertSameAnswer });
  const inTurn = takeTurns();
  let newestSequence = -1;

  return {
    async apply(snapshot) {
      const { sequence } = snapshot;
      if (sequence < newestSequence) {
        throw new RangeError(`apply snapshot ${sequence}: ${newestSequence} is newer`);
      }
      newestSequence = sequence;
      return inTurn(async () => {
        const states = await edge.apply(sequence, snapshot.edge);
        const certificates = chooseCertificates(snapshot.edge);
        const sites = states.map((state, index) => {
          const host = snapshot.edge.sites[index]?.hosts[0] ?? '';
          const certificate = certificates.get(host)?.fingerprint;
          return certificate === undefined ? state : { ...state, certificate };
        });
        const { databases } = await geo.load(snapshot.dns.databases);
        const challenges = shownTokens(snapshot.edge);
        return { ...(await dns.apply(snapshot.dns, databases)), sites, challenges };
      });
    },
    setHealth: (health) => dns.setHealth(health),
    explain: (question) => Promise.resolve(dns.explain(question)),
    state: () => [],
    takeTraffic: () => edge.takeTraffic(),
    onDamaged: (listener) => {
      onDamaged = listener;
    },
    onLines: (writer) => {
      write = writer;
    },
    close: () => Promise.resolve(),
    resolve: (query, client, nowMs) => dns.answer(query, client, nowMs),
    request: async (request) => edge.handler(request),
  };
}
