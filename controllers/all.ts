import type { Acme, CertificateReader } from '../runtime/acme/acme.ts';
import type { KnownAcmeLimits } from '../runtime/acme/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { BlobShelf } from '../runtime/content/blob-shelf.ts';
import type { Controller } from '../runtime/control/controller.ts';
import type { EventRecorder } from '../runtime/control/events.ts';
import type { Declarer } from '../runtime/declarer.ts';
import type { DnsClient } from '../runtime/dns/client.ts';
import type { PublicDns } from '../runtime/dns/public-dns.ts';
import type { Git } from '../runtime/git/git.ts';
import type { Random } from '../runtime/random.ts';
import type { PasswordHasher } from '../runtime/secret/password-hash.ts';
import type { World } from '../runtime/store/world.ts';
import type { Writer } from '../runtime/store/writer.ts';
import type { CertificateAuthority, Sealer } from '../runtime/tls/authority.ts';
import type { SiteTraffic } from '../runtime/traffic/site-traffic.ts';
import { accessController } from './access/controller.ts';
import { acmeController } from './acme/controller.ts';
import type { UntoldWaits } from './acme/untold.ts';
import { type BlobsPorts, blobsController } from './blobs/controller.ts';
import { certificatesController } from './certificates/controller.ts';
import { commitStatusController } from './commit-status/controller.ts';
import { contentController } from './content/controller.ts';
import { dnsController } from './dns/controller.ts';
import { eventsController } from './events/controller.ts';
import { garbageController } from './garbage/controller.ts';
import { nodeController } from './node/controller.ts';
import { notificationController } from './notification/controller.ts';
import type { Ways } from './notification/deliver.ts';
import { repositoryController } from './repository/controller.ts';
import { type VariantsPorts, variantsController } from './variants/controller.ts';

export interface ControllerPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly authority: CertificateAuthority;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly events: EventRecorder;
  /** Left out: how edges answer is not known, and no rollout is judged by it. */
  readonly traffic?: SiteTraffic | undefined;
  readonly acme: Acme;
  readonly certificateReader: CertificateReader;
  /** Left out: only what dom knows is looked at before a CA is asked. */
  readonly publicDns?: PublicDns | undefined;
  /** Asks secondaries of others whether they have a proof; left out: they are not waited for. */
  readonly dns?: DnsClient | undefined;
  /** What CAs are known to allow; left out: what they publish (`KNOWN_ACME_LIMITS`). */
  readonly acmeLimits?: KnownAcmeLimits | undefined;
  /** Of CAs, what outlives a term of this dom; left out: nothing does. */
  readonly untold?: UntoldWaits | undefined;
  /** Left out: nothing is compressed. */
  readonly variants?:
    | Pick<VariantsPorts, 'blobs' | 'compressor' | 'isSending' | 'lookAgainMs'>
    | undefined;
  /** Left out: nothing is cleared away of what nothing names. */
  readonly collection?: Pick<BlobsPorts, 'blobs' | 'blobGraceMs' | 'current'> | undefined;
  /** Left out: no Git repositories are followed. */
  readonly repositories?:
    | {
        readonly git: Git;
        readonly blobs: BlobShelf;
        readonly declarer: Declarer;
        readonly hookAddresses: readonly string[];
      }
    | undefined;
  /** How messages leave this machine. Left out: nobody is told of Events and commits. */
  readonly ways?: Ways | undefined;
  /** Left out: no passwords are hashed, and what Sites guard by them is closed. */
  readonly hasher?: PasswordHasher | undefined;
}

/** Every controller, to be run each by its own loop; they meet only in the store. */
export function allControllers(ports: ControllerPorts): readonly Controller[] {
  const { variants, collection, hasher, repositories, ways } = ports;
  return [
    nodeController(ports),
    certificatesController(ports),
    acmeController(ports),
    contentController(ports),
    dnsController(ports),
    garbageController(ports),
    eventsController(ports),
    ...(collection === undefined ? [] : [blobsController({ ...ports, ...collection })]),
    ...(repositories === undefined ? [] : [repositoryController({ ...ports, ...repositories })]),
    ...(ways === undefined
      ? []
      : [
          notificationController({ ...ports, ways }),
          commitStatusController({ ...ports, poster: ways.poster }),
        ]),
    ...(hasher === undefined ? [] : [accessController({ ...ports, hasher })]),
    ...(variants === undefined ? [] : [variantsController({ ...ports, ...variants })]),
  ];
}
