import type { Blobs } from '../../dom/blobs/blobs.ts';
import type { Dom, Term } from '../../dom/dom.ts';
import { HookDesk } from '../../dom/hooks/desk.ts';
import type { Acme } from '../../runtime/acme/acme.ts';
import { fakeAcme } from '../../runtime/acme/fake/fake-acme.ts';
import type { Clock } from '../../runtime/clock.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { fakeCompressor } from '../../runtime/content/fake-compressor.ts';
import type { Peer, PeersQuestion } from '../../runtime/content/peers.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import { fakePasswordHasher } from '../../runtime/secret/fake-password-hasher.ts';
import type { PasswordHasher } from '../../runtime/secret/password-hash.ts';
import type { GeoRecord } from '../../runtime/store/records.ts';
import type { CertificateAuthority, Identity } from '../../runtime/tls/authority.ts';
import { fakeCertificateReader } from '../../runtime/tls/fake-certificate-reader.ts';
import type { SimulatedCa } from '../ca/simulated-ca.ts';
import type { Checks } from '../check/checks.ts';
import { overheardSealer } from '../cluster/overheard-sealer.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { Faults } from '../faults/faults.ts';
import type { SimulatedGit } from '../git/simulated-git.ts';
import type { DomService } from '../net/network.ts';
import type { ObservedStore } from '../store/observed-store.ts';
import { remoteStore } from '../store/remote-store.ts';
import type { Code } from './code.ts';
import type { Host } from './host.ts';
import { ended } from './sub-host.ts';

export interface DomParts {
  readonly code: Pick<Code, 'Dom' | 'importGeo' | 'createSealer'>;
  /** Its watches show each revision no sooner than so long after it came about. */
  readonly watchLagMs: number;
  /**
   * Told of each write to the store, and of each request that has changed something at a CA, before
   * the process learns of it.
   */
  readonly onEffect: (process: Process, what: string) => void;
  readonly host: Host;
  readonly store: ObservedStore;
  readonly authority: CertificateAuthority;
  readonly sealKey: Uint8Array;
  readonly mode: 'shared' | 'sole';
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly checks: Checks;
  readonly faults: () => Faults;
  /** CAs that speak ACME; undefined: none can be reached. */
  readonly ca: SimulatedCa | undefined;
  /** A Git server; undefined: dom follows none. */
  readonly git: Pick<SimulatedGit, 'git'> | undefined;
  /** A geography database, if there is one. */
  readonly geo: Uint8Array | undefined;
  /** How long it keeps blobs that nothing names. */
  readonly blobGraceMs: number;
  /** `eager`: nodes are to fetch from one another, however little there is to fetch. */
  readonly peers: 'eager' | 'real';
  /** As with sub. */
  readonly onEnd: (why: string) => void;
  readonly onDiskFault: () => void;
}

const HASH_MS = { min: 50, max: 500 };

/** Dom sends to one node at once, and that one to one other. */
const EAGER_PEERS = { uploadsMax: 1, freeBytes: 0, fanout: 1 };

export interface RunningDom extends DomService {
  readonly dom: Dom;
  /** Takes calls of Git hosts, whether or not it leads. */
  readonly hooks: Pick<HookDesk, 'take'>;
}

/** Starts dom's production code on its host, with simulated ports. */
export function startDom(parts: DomParts): RunningDom {
  const { host, authority, sealKey, mode, trace, checks, code } = parts;
  const { process, random, disk } = host.start();
  const store = remoteStore({ ...parts, process, random: random.fork('store') });
  const clock = process.clock(host.clock);
  const log = process.log(checks.overhear(host.name, trace.log(host.name)));
  const sealer = overheardSealer(
    code.createSealer({ key: sealKey, random: random.fork('sealer') }),
    (secret) => checks.confided(secret),
  );
  const dom = new code.Dom(
    {
      ...{ store, clock, random, disk, log, sealer },
      metrics: noMetrics,
      authority,
      acme: acmeOf(parts, process, random.fork('acme')),
      acmeLimits: parts.ca?.acmeLimits ?? {},
      certificateReader: fakeCertificateReader,
      compressor: process.wrap(fakeCompressor),
      hasher: process.wrap(slowHasher(clock, random.fork('hasher'))),
      git: parts.git?.git({ host: host.name, process }),
    },
    {
      ...{ holder: host.name, mode, version: 'sim', storeName: 'memory' },
      addresses: [`${host.name}:7443`],
      blobGraceMs: parts.blobGraceMs,
      importGeo: (blobs) => bringGeo(parts, blobs),
      ...(parts.peers === 'eager' && { peerLimits: EAGER_PEERS }),
    },
  );
  dom.run(process.signal).then(
    () => ended(process, parts, new Error('for no reason')),
    (error: unknown) => ended(process, parts, error),
  );
  return {
    dom,
    hooks: new HookDesk(
      { store, sealer, clock, log, random: random.fork('hooks') },
      process.signal,
    ),
    name: host.name,
    process,
    accept: (link, identity) => void dom.accept(link, identity, process.signal),
    fetchBlob: (node, digest, offsetBytes) => {
      if (offsetBytes > 0) checks.reached.add('resumed blob');
      return fetchBlob(dom, { node, digest, offsetBytes });
    },
    findPeers: (node, question) => findPeers(dom, node, question),
  };
}

/** Each takes a processor for a while, as real ones do. */
function slowHasher(clock: Clock, random: SeededRandom): PasswordHasher {
  const hasher = fakePasswordHasher(random);
  return {
    ...hasher,
    async hash(password) {
      await clock.sleep(random.integer(HASH_MS.min, HASH_MS.max));
      return hasher.hash(password);
    },
  };
}

function acmeOf(parts: DomParts, process: Process, random: SeededRandom): Acme {
  const { ca, host } = parts;
  const by = {
    ...{ host: host.name, process: process.name, aheadMs: () => host.clock.offMs },
    // What arrives after the crash is nobody's any more.
    onEffect: (what: string) => process.alive && parts.onEffect(process, what),
  };
  const acme = ca?.acme(by, random) ?? fakeAcme({ random, cas: [] });
  return process.wrap(acme);
}

/** As dom's main program does it, from memory instead of files. */
function bringGeo({ geo, code }: DomParts, blobs: Blobs): Promise<GeoRecord> {
  if (geo === undefined) return code.importGeo([], blobs);
  const file = {
    sizeBytes: geo.length,
    digest: async () => digestOf(geo),
    async *read() {
      yield geo;
    },
  };
  return code.importGeo([file], blobs);
}

/** As dom's server does it. */
async function* fetchBlob(
  dom: Dom,
  { node, digest, offsetBytes }: { node: Identity; digest: string; offsetBytes: number },
): AsyncGenerator<Uint8Array> {
  const { blobAccess, blobs, peers } = await dom.leading();
  if (node.kind !== 'node' || !(await blobAccess.allowed(node, digest)))
    throw new Error(`${digest} is not in the plan of ${node.name}`);
  const upload = peersOf(peers)?.upload(node.name);
  try {
    yield* (await blobs.open(digest, offsetBytes)).chunks;
  } finally {
    upload?.end();
  }
}

async function findPeers(
  dom: Dom,
  node: Identity,
  question: PeersQuestion,
): Promise<readonly Peer[]> {
  const { blobAccess, peers } = await dom.leading();
  if (node.kind !== 'node' || !(await blobAccess.allowed(node, question.list)))
    throw new Error(`${question.list} is not in the plan of ${node.name}`);
  return peersOf(peers)?.find(node, question) ?? [];
}

/** Older code has none, whatever its type says. */
function peersOf(peers: Term['peers']): Term['peers'] | undefined {
  return peers;
}
