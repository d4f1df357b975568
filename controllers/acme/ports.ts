import type { Issuer, IssuerSpec } from '../../api/issuer.ts';
import type { Acme, AcmeAccount, AcmeServer, CertificateReader } from '../../runtime/acme/acme.ts';
import type { KnownAcmeLimits } from '../../runtime/acme/limits.ts';
import type { AcmeAccountRecord, AcmeCountRecord } from '../../runtime/acme/records.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import type { DnsClient } from '../../runtime/dns/client.ts';
import type { PublicDns } from '../../runtime/dns/public-dns.ts';
import type { Random } from '../../runtime/random.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Author, Writer } from '../../runtime/store/writer.ts';
import { canOpen, type Sealer } from '../../runtime/tls/authority.ts';
import type { UntoldWaits } from './untold.ts';

export interface AcmePorts {
  readonly world: World;
  readonly writer: Pick<Writer, 'commit'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
  readonly events: EventRecorder;
  readonly acme: Acme;
  readonly certificateReader: CertificateReader;
  /** Left out: nothing is looked at before a CA is asked but what dom itself knows. */
  readonly publicDns?: PublicDns | undefined;
  /** Asks secondaries of others; left out: they are not waited for. */
  readonly dns?: DnsClient | undefined;
  /** What CAs are known to allow; left out: what they publish (`KNOWN_ACME_LIMITS`). */
  readonly acmeLimits?: KnownAcmeLimits | undefined;
  /** What outlives a term of this dom; left out: nothing does. */
  readonly untold?: UntoldWaits | undefined;
}

/** The same for the work on one name. */
export interface WorkPorts extends AcmePorts {
  /** All orders that count against the limits of CAs. */
  readonly counts: () => readonly AcmeCountRecord[];
}

export const AUTHOR: Author = { manager: 'acme-controller', user: 'dom' };
export const SOURCE = { component: AUTHOR.manager } as const;

export type AcmeSpec = NonNullable<IssuerSpec['acme']>;
/** An Issuer that is an ACME CA. */
export type AcmeIssuer = Issuer & { readonly spec: { readonly acme: AcmeSpec } };

export function isAcme(issuer: Issuer | undefined): issuer is AcmeIssuer {
  return issuer?.spec.acme !== undefined;
}

export function serverOf({ spec: { acme } }: AcmeIssuer): AcmeServer {
  return { directory: acme.directory, caPem: acme.caBundle };
}

/** Whom to ask about a certificate: who issued it, or, when that is gone, another of the same CA. */
export function issuerOfMaterial(
  world: Pick<World, 'list'>,
  { issuerUid, directory }: Pick<MaterialRecord, 'issuerUid' | 'directory'>,
): AcmeIssuer | undefined {
  const issuers = world.list('Issuer').filter(isAcme);
  return (
    issuers.find(({ metadata }) => metadata.uid === issuerUid) ??
    issuers.find(({ spec }) => spec.acme.directory === directory)
  );
}

/** What an account's key is sealed for. */
export function accountKeyContext(issuerUid: string): string {
  return `acme-account/${issuerUid}`;
}

/** What is kept of an account, without keys that nobody can open; undefined: nothing else is left. */
export function keptAccount(
  sealer: Pick<Sealer, 'open'>,
  { metadata }: Issuer,
  record: AcmeAccountRecord | undefined,
): AcmeAccountRecord | undefined {
  if (record === undefined) return undefined;
  const context = accountKeyContext(metadata.uid);
  if (!canOpen(sealer, { sealed: record.sealedKey, context })) return undefined;
  const { nextSealedKey, ...kept } = record;
  const isNextLost =
    nextSealedKey !== undefined && !canOpen(sealer, { sealed: nextSealedKey, context });
  return isNextLost ? kept : record;
}

/** The account as the CA knows it; undefined: it is not registered there yet. */
export function accountOf(
  { sealer }: Pick<AcmePorts, 'sealer'>,
  issuer: AcmeIssuer,
  record: AcmeAccountRecord | undefined,
): AcmeAccount | undefined {
  const kept = keptAccount(sealer, issuer, record);
  if (record === undefined || kept === undefined) return undefined;
  if (record.url === undefined || record.directory !== issuer.spec.acme.directory) return undefined;
  const keyPem = sealer.open(record.sealedKey, accountKeyContext(issuer.metadata.uid));
  return { server: serverOf(issuer), url: record.url, keyPem };
}
