import { type UntoldWaits, untoldWaits } from '../controllers/acme/untold.ts';
import { allControllers } from '../controllers/all.ts';
import { BLOB_GRACE_MS, lookEveryMs } from '../controllers/blobs/plan.ts';
import { Forecasts } from '../controllers/repository/forecast/forecasts.ts';
import type { Acme, CertificateReader } from '../runtime/acme/acme.ts';
import type { KnownAcmeLimits } from '../runtime/acme/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { ClockLeaps } from '../runtime/clock-leaps.ts';
import type { Compressor } from '../runtime/content/compressor.ts';
import { describeError, runController } from '../runtime/control/control-loop.ts';
import { StoredEvents } from '../runtime/control/events.ts';
import type { Disk } from '../runtime/disk/disk.ts';
import type { DnsClient } from '../runtime/dns/client.ts';
import type { PublicDns } from '../runtime/dns/public-dns.ts';
import type { Git } from '../runtime/git/git.ts';
import type { Log } from '../runtime/log.ts';
import type { Mailer } from '../runtime/mailer.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Poster } from '../runtime/poster.ts';
import type { Random } from '../runtime/random.ts';
import { RequestError } from '../runtime/request-error.ts';
import type { PasswordHasher } from '../runtime/secret/password-hash.ts';
import { type Link, LinkClosedError } from '../runtime/session/link.ts';
import { Mirror } from '../runtime/store/mirror.ts';
import type { GeoRecord } from '../runtime/store/records.ts';
import type { Store } from '../runtime/store/store.ts';
import { Writer } from '../runtime/store/writer.ts';
import type { CertificateAuthority, Identity, Sealer } from '../runtime/tls/authority.ts';
import { type CountedSite, showTraffic } from '../runtime/traffic/traffic-metrics.ts';
import { createDeclarer } from './api/declarer.ts';
import { Api } from './api/service.ts';
import { BlobAccess } from './blobs/access.ts';
import { Blobs } from './blobs/blobs.ts';
import { showCertificates } from './certificate-metrics.ts';
import { keepCookieSecrets } from './cookie-secrets.ts';
import { furnish } from './furnish.ts';
import { Hub } from './gateway/hub.ts';
import { TrafficDesk } from './gateway/traffic-desk.ts';
import { runHousekeeping } from './housekeeping.ts';
import { createJoin, type Join } from './identity/join.ts';
import { createTokens, type Tokens } from './identity/tokens.ts';
import { createTransferKeys } from './identity/transfer-keys.ts';
import { createUsers } from './identity/users.ts';
import { campaign, currentLeader, type Leadership, type LeadershipOptions } from './leadership.ts';
import { PeerBoard } from './peers/board.ts';
import type { PeerLimits } from './peers/plan.ts';

export interface DomPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Holds the blobs. */
  readonly disk: Disk;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sealer: Sealer;
  readonly authority: CertificateAuthority;
  readonly acme: Acme;
  readonly certificateReader: CertificateReader;
  /** Left out: content is served as it is. */
  readonly compressor?: Compressor | undefined;
  /** Left out: no passwords are hashed, and what Sites guard by them is closed. */
  readonly hasher?: PasswordHasher | undefined;
  /** Left out: no Git repositories are followed. */
  readonly git?: Git | undefined;
  /** How messages leave this machine. Left out: nobody is told of Events and commits. */
  readonly ways?: { readonly poster: Poster; readonly mailer: Mailer } | undefined;
  /** Left out: only what dom knows is looked at before a CA is asked. */
  readonly publicDns?: PublicDns | undefined;
  /** Asks secondaries of others whether they have a proof; left out: they are not waited for. */
  readonly dns?: DnsClient | undefined;
  /** What CAs are known to allow; left out: what they publish (`KNOWN_ACME_LIMITS`). */
  readonly acmeLimits?: KnownAcmeLimits | undefined;
}

export interface DomOptions extends LeadershipOptions {
  readonly version: string;
  /** "sqlite", "etcd" or "memory". */
  readonly storeName: string;
  /** Where nodes dial, for the join command: "host:port". */
  readonly addresses: readonly string[];
  /** When nodes are told to fetch from one another; left out: as is good for real ones. */
  readonly peerLimits?: Partial<PeerLimits>;
  /** How long content stays that nothing names, in milliseconds; left out: BLOB_GRACE_MS. */
  readonly blobGraceMs?: number | undefined;
  /** Finds the geography databases and puts them among the blobs. */
  readonly importGeo?: (blobs: Blobs) => Promise<GeoRecord>;
}

/** All that serves while this dom leads. */
export interface Term {
  readonly traffic: TrafficDesk;
  readonly leadership: Leadership;
  readonly mirror: Mirror;
  readonly api: Api;
  readonly hub: Hub;
  readonly join: Join;
  readonly tokens: Tokens;
  readonly blobs: Blobs;
  readonly blobAccess: BlobAccess;
  readonly peers: PeerBoard;
}

interface TermParts {
  readonly mirror: Mirror;
  readonly writer: Writer;
  readonly traffic: TrafficDesk;
}

/**
 * The control plane, without sockets: campaigns for the lead and, while it has it, serves the API,
 * holds the sessions and runs the controllers. Losing the lead ends all three at once.
 */
export class Dom {
  readonly #ports: DomPorts;
  readonly #options: DomOptions;
  readonly #untold: UntoldWaits;
  #term: Term | undefined;

  constructor(ports: DomPorts, options: DomOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#untold = untoldWaits(ports.clock);
    showCertificates(ports.metrics, () => this.#term?.mirror);
    showTraffic(ports.metrics, 'b8s_site', () => this.#countedSites());
  }

  /** Until the signal is aborted. Throws what a person must mend. */
  async run(signal: AbortSignal): Promise<void> {
    await new Blobs(this.#ports.disk, this.#ports.random).sweep();
    while (!signal.aborted) {
      const leadership = await campaign(this.#ports, this.#options, signal).catch(
        (error: unknown) => this.#campaignFailed(error, signal),
      );
      if (leadership === undefined) continue;
      const over = AbortSignal.any([signal, leadership.lost]);
      await this.#serve(leadership, over);
      // Others need not wait for the lease to end; if the store is away, they have to.
      if (signal.aborted) await leadership.resign().catch((error: unknown) => this.#left(error));
    }
  }

  /** The term that this dom leads. Throws UNAVAILABLE when another one leads. */
  async leading(): Promise<Term> {
    if (this.#term !== undefined) return this.#term;
    const holder = await currentLeader(this.#ports.store).catch(() => undefined);
    const other = holder !== undefined && holder !== this.#options.holder;
    throw new RequestError(
      'UNAVAILABLE',
      other ? `this dom does not lead: ${holder} does` : 'dom is starting: try again in a moment',
    );
  }

  #countedSites(): readonly CountedSite[] {
    const { traffic, mirror } = this.#term ?? {};
    return (mirror?.list('Site') ?? []).flatMap(({ metadata: { uid, namespace = '', name } }) => {
      const count = traffic?.totals.get(uid);
      return count === undefined ? [] : [{ namespace, site: name, count }];
    });
  }

  get leads(): boolean {
    return this.#term !== undefined;
  }

  /** Serves a node's session until it ends. Never throws. */
  async accept(link: Link, identity: Identity | undefined, signal: AbortSignal): Promise<void> {
    if (this.#term === undefined)
      return link.close(new LinkClosedError('lost', 'this dom does not lead'));
    const over = AbortSignal.any([signal, this.#term.leadership.lost]);
    await this.#term.hub.accept(link, identity, over);
  }

  async #serve(leadership: Leadership, signal: AbortSignal): Promise<void> {
    const mirror = new Mirror({ ...this.#ports });
    const fence = (): ReturnType<Leadership['fence']> => leadership.fence();
    const writer = new Writer({ ...this.#ports, fence, doubts: leadership });
    const events = new StoredEvents({ ...this.#ports, world: mirror, writer });
    const mirroring = mirror.run(signal);
    await Promise.race([mirror.reached(1n), mirroring]);
    const traffic = new TrafficDesk(this.#ports.clock);
    const term = this.#begin(leadership, { mirror, writer, traffic });
    const { compressor, git } = this.#ports;
    const declarer = createDeclarer({ ...this.#ports, writer });
    const { blobGraceMs = BLOB_GRACE_MS } = this.#options;
    const controllers = allControllers({
      ...{ ...this.#ports, world: mirror, writer, events, traffic: traffic.board },
      untold: this.#untold,
      variants: compressor && {
        ...{ blobs: term.blobs, compressor },
        isSending: () => term.peers.isSending(),
        lookAgainMs: lookEveryMs(blobGraceMs),
      },
      collection: {
        ...{ blobs: term.blobs, blobGraceMs },
        current: (current) => mirror.current(current),
      },
      repositories: git && {
        ...{ git, blobs: term.blobs, declarer },
        hookAddresses: this.#options.addresses,
      },
    });
    const leaps = new ClockLeaps(this.#ports.clock);
    const importGeo = async (): Promise<GeoRecord | undefined> =>
      this.#options.importGeo?.(term.blobs);
    this.#term = signal.aborted ? undefined : term;
    try {
      await Promise.all([
        mirroring,
        events.run(signal),
        term.hub.run(signal),
        runHousekeeping(
          {
            ...{ ...this.#ports, mirror, tokens: term.tokens },
            keepCookieSecrets: () => keepCookieSecrets({ ...this.#ports, world: mirror, writer }),
          },
          signal,
        ),
        furnish({ ...this.#ports, world: mirror, writer, importGeo }, signal),
        leaps.run(signal),
        ...controllers.map((each) =>
          runController(each, { ...this.#ports, mirror, leaps }, signal),
        ),
      ]);
    } finally {
      this.#term = undefined;
    }
  }

  #begin(leadership: Leadership, made: TermParts): Term {
    const { mirror } = made;
    const ports = { ...this.#ports, ...this.#options, ...made, world: mirror, leadership };
    const blobs = new Blobs(this.#ports.disk, this.#ports.random);
    const { sealer } = this.#ports;
    const hub = new Hub({
      ...ports,
      openKey: (material, certificateUid) => sealer.open(material.sealedKey, certificateUid),
    });
    const tokens = createTokens(ports);
    const join = createJoin({ ...ports, tokens });
    const transferKeys = createTransferKeys({ ...ports, sealer });
    const { git } = this.#ports;
    const forecasts =
      git && new Forecasts({ ...ports, git, blobs, declarer: createDeclarer(ports) });
    const users = createUsers({ ...ports, lost: leadership.lost });
    const api = new Api({ ...ports, hub, blobs, tokens, transferKeys, users, forecasts });
    const blobAccess = new BlobAccess(mirror, blobs);
    const { peerLimits: limits = {} } = this.#options;
    const peers = new PeerBoard({ ...ports, limits, offerOf: (node) => hub.peerOffer(node) });
    const { traffic } = made;
    return { traffic, leadership, mirror, hub, join, tokens, api, blobs, blobAccess, peers };
  }

  #left(error: unknown): void {
    this.#ports.log.warn({ error: describeError(error) }, 'the lead was not handed back');
  }

  async #campaignFailed(error: unknown, signal: AbortSignal): Promise<undefined> {
    if (signal.aborted) return;
    this.#ports.log.warn({ error: describeError(error) }, 'campaign failed; trying again');
    await this.#ports.clock.sleep(1_000, signal).catch(() => undefined);
  }
}
