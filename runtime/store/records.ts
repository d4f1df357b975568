import type {
  AcmeAccountRecord,
  AcmeCountRecord,
  AcmeOrderRecord,
  IssuanceRecord,
  RevocationRecord,
} from '../acme/records.ts';
import type { Capability } from '../capabilities.ts';
import type {
  RepositoryHookRecord,
  RepositoryObjectRecord,
  RepositoryRecord,
  RepositoryUndoRecord,
} from '../repository-records.ts';
import type { CommitStatusRecord, NotificationRecord } from '../telling-records.ts';
import type { Revision } from './store.ts';

/**
 * What dom keeps in the store beside objects: facts that no person declares and no `get` shows.
 * Keys are `/b8s/system/<record kind>/<id>`; values are JSON.
 */
export interface Records {
  /** A live session of a node, under a lease: while the record is there, the node is. Id: node. */
  readonly session: SessionRecord;
  /** What a node last reported of itself. Id: node. */
  readonly report: ReportRecord;
  /** The version of a zone that nameservers serve. Id: `namespace/name`. */
  readonly zone: ZoneRecord;
  /** The keys that a zone is signed with, the private ones sealed. Id: `namespace/name`. */
  readonly signing: SigningRecord;
  /** The greatest serial among zones that are not served any more; id `gone`. */
  readonly serial: SerialRecord;
  /** A secret that secondary servers share (TSIG), sealed. Id: its name. */
  readonly transferKey: TransferKeyRecord;
  /** The key and chain of a Certificate, the key sealed. Id: uid of the Certificate. */
  readonly material: MaterialRecord;
  /** An account at an ACME CA. Id: uid of the Issuer. */
  readonly acmeAccount: AcmeAccountRecord;
  /** The order that is under way for a Certificate: at most one. Id: uid of the Certificate. */
  readonly acmeOrder: AcmeOrderRecord;
  /** An order that was placed, for the CA's limits. Id: `<uid of the Certificate>/<startedMs>`. */
  readonly acmeCount: AcmeCountRecord;
  /** How issuing a Certificate has gone, and when to go on. Id: uid of the Certificate. */
  readonly issuance: IssuanceRecord;
  /** A certificate to be revoked. Id: its fingerprint. */
  readonly revocation: RevocationRecord;
  /** Which Site holds a host name, so that two Sites can never both. Id: host. */
  readonly host: HostRecord;
  /** The hashed passwords that a Site asks for. Id: `namespace/name` of the Site. */
  readonly access: AccessRecord;
  /** How far dom has come with a Repository. Id: its uid. */
  readonly repository: RepositoryRecord;
  /** An object that a Repository keeps. Id: `<uid of the Repository>/<Kind>/<namespace>/<name>`. */
  readonly repositoryObject: RepositoryObjectRecord;
  /** What the commit that is being brought in has changed of an object. Id: as above. */
  readonly repositoryUndo: RepositoryUndoRecord;
  /** The calls of a Repository's Git host. Id: its uid. */
  readonly repositoryHook: RepositoryHookRecord;
  /** How far a Notification has told. Id: its uid. */
  readonly notification: NotificationRecord;
  /** What its Git host was told of a Repository's commits. Id: its uid. */
  readonly repositoryTold: CommitStatusRecord;
  /** An unredeemed join token. Id: the token's public half. */
  readonly token: TokenRecord;
  /** What a person or program was given to call dom with. Id: the name. */
  readonly user: UserRecord;
  /** The internal certificate authority; id `ca`. */
  readonly authority: AuthorityRecord;
  /** What server cookies are made with, sealed; id `current`. */
  readonly dnsCookie: DnsCookieRecord;
  /** The geography database for nameservers; id `current`. */
  readonly geo: GeoRecord;
}

export type RecordKind = keyof Records;

export interface SessionRecord {
  readonly nodeUid: string;
  readonly agentVersion: string;
  /** RFC 3339. */
  readonly connectedSince: string;
  /** What it can do that older ones cannot; absent: nothing of that. */
  readonly capabilities?: readonly Capability[];
}

export interface ReportRecord {
  readonly nodeUid: string;
  readonly sites: readonly SiteOnNode[];
  readonly zones: readonly ZoneOnNode[];
  readonly unreachable: readonly string[];
  readonly conditions: readonly {
    readonly type: string;
    readonly status: boolean;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly geo: readonly string[];
  /** Tokens of the proofs that its edges answer with (RFC 8555 §8); absent: none. */
  readonly challenges?: readonly string[];
}

export interface AccessRecord {
  readonly siteUid: string;
  /** The Secret that they are from, by name. */
  readonly secret: string;
  /** Sorted by name; none: nobody has access. */
  readonly users: readonly AccessUser[];
  /** Why there is none, or one is missing; for a person. */
  readonly problem?: { readonly reason: string; readonly message: string };
}

export interface AccessUser {
  readonly name: string;
  /** SHA-256 of the sealed password, hex: another one has another. */
  readonly of: string;
  /** See `PasswordHasher`. */
  readonly hash: string;
}

export interface ZoneOnNode {
  readonly uid: string;
  readonly serial: number;
  readonly error: string;
  /** Of the keys that the node serves it with, sorted; left out: it does not sign it. */
  readonly keyTags?: readonly number[];
}

export interface SiteOnNode {
  readonly uid: string;
  readonly generation: number;
  /** Release digest that requests are answered with; empty: none. */
  readonly serving: string;
  /** Release digests that are whole and verified on the node's disk, sorted. */
  readonly verified: readonly string[];
  /** Fingerprint of the certificate in use; empty: none. */
  readonly certificate: string;
  readonly error: string;
  /** What of the release's own rules it does not use, for a person; absent: nothing. */
  readonly warning?: string;
  /** Digits of the releases that are answered with at addresses of their own, sorted; absent: none. */
  readonly previews?: readonly string[];
  /** Why one of these is not there, for a person; absent: nothing is wrong. */
  readonly previewError?: string;
}

export interface ZoneRecord {
  readonly zoneUid: string;
  /** Generation of the Zone that was compiled. */
  readonly generation: number;
  readonly serial: number;
  readonly origin: string;
  readonly primaryNameserver: string;
  readonly mailbox: string;
  readonly refreshS: number;
  readonly retryS: number;
  readonly expireS: number;
  readonly negativeTtlS: number;
  readonly records: readonly RecordSetRecord[];
  readonly geoNames: readonly GeoNameRecord[];
  /**
   * By name: the Nodes that `geoNames` has as candidates, for a later Node of the name is another
   * (INV-16). Absent: there are none, or the version is from before this was kept.
   */
  readonly nodeUids?: Readonly<Record<string, string>>;
  /** Absent: nobody may take the zone whole. */
  readonly transfer?: ZoneTransferRecord;
  /** What is public of the keys that sign it, in the order in which they were made; absent: none. */
  readonly keys?: readonly ZoneKeyRecord[];
}

export interface ZoneKeyRecord {
  readonly keyTag: number;
  /** x and y of the public key, base64. */
  readonly publicKey: string;
  /**
   * `active` signs everything; `published` signs only the keys, as yet; `retired` is known still,
   * for signatures that resolvers hold.
   */
  readonly role: 'active' | 'published' | 'retired';
  /** What the parent should do with a DS record of it (RFC 7344, RFC 8078 §4). */
  readonly ds: 'wanted' | 'delete' | 'unsaid';
}

export interface SigningRecord {
  readonly zoneUid: string;
  /** The name that the keys sign for: a Zone that moves to another begins anew. */
  readonly origin: string;
  readonly phase: SigningPhase;
  /** The first serial that was served in this phase; absent: none yet. */
  readonly serial?: number;
  /** The longest that resolvers may keep what was answered when the phase began, in seconds. */
  readonly ttlMaxS: number;
  /** When every nameserver was first seen to serve that serial or a later one; absent: not yet. */
  readonly servedMs?: number;
  /** When `spec.dnssec.parentDs` was first seen to say what this phase waits for; absent: not yet. */
  readonly parentMs?: number;
  /** In the order in which they were made: one, or two while one takes over from the other. */
  readonly keys: readonly SigningKeyRecord[];
}

/**
 * Where a signed zone stands (RFC 7583 §3.3, with one key for all): `signing` until answers without
 * signatures are forgotten everywhere, then `steady`. A new key is `publishing`, then the parent is
 * `swapping` DS records, then the old key is `retiring`. `withdrawing`: the parent is to forget all.
 */
export type SigningPhase =
  | 'signing'
  | 'steady'
  | 'publishing'
  | 'swapping'
  | 'retiring'
  | 'withdrawing';

export interface SigningKeyRecord {
  /** The `spec.dnssec.keyGeneration` that it was made for. */
  readonly generation: number;
  readonly keyTag: number;
  /** x and y of the public key, base64. */
  readonly publicKey: string;
  /** The private key, sealed for `zone-key/<uid of the Zone>` (see Sealer). */
  readonly sealedKey: string;
  readonly role: ZoneKeyRecord['role'];
}

/** How a zone is handed to secondaries (RFC 5936). */
export interface ZoneTransferRecord {
  readonly secondaries: readonly {
    readonly address: string;
    readonly port: number;
    /** The name of a transfer key; absent: the address alone is enough. */
    readonly key?: string;
  }[];
  /** What the geo names are for those who cannot route, sorted by name, then type. */
  readonly addresses: readonly RecordSetRecord[];
}

export interface TransferKeyRecord {
  /** "hmac-sha256", "hmac-sha384" or "hmac-sha512" (RFC 8945 §6). */
  readonly algorithm: string;
  /** The secret in base64, sealed for `transfer-key/<name>` (see Sealer). */
  readonly sealedKey: string;
  readonly createdBy: string;
  readonly createdMs: number;
}

export interface SerialRecord {
  readonly serial: number;
}

/** Names are absolute, lower case, without a final dot. */
export interface RecordSetRecord {
  readonly name: string;
  readonly type: string;
  readonly ttlS: number;
  readonly values: readonly string[];
}

export interface GeoNameRecord {
  /** A host, or the wildcard for hosts of previews. */
  readonly name: string;
  /** The Site whose host it is; a later Site of the same host begins anew. */
  readonly siteUid: string;
  readonly ttlS: number;
  /** Node names, sorted; for `failover` in order of preference. */
  readonly candidates: readonly string[];
  readonly policy: 'nearest' | 'weighted' | 'failover';
  readonly answersMax: number;
  /** For `weighted`, in the order of `candidates`. */
  readonly weights: readonly number[];
  /** Which candidates are for whom; absent: all are for everyone. */
  readonly regions?: readonly GeoRegionRecord[];
  /** For clients whose place no database knows; absent: no word. */
  readonly fallback?: GeoFallbackRecord;
  /** The candidates do not serve the Site yet: a CA is to find a proof with them (RFC 8555 §8). */
  readonly standIn?: 'proof';
  /**
   * The serial of the first version that led to nodes which serve the Site, as all have done since.
   * Absent: there are none, or the version is from before this was kept.
   */
  readonly since?: number;
}

export interface GeoRegionRecord {
  /** ISO 3166-1 alpha-2. A region without countries and continents is for everyone else. */
  readonly countries: readonly string[];
  readonly continents: readonly string[];
  /** Some of the candidates, sorted. */
  readonly nodes: readonly string[];
}

export interface GeoFallbackRecord {
  /** Degrees, WGS 84; both or neither. */
  readonly latitude?: number;
  readonly longitude?: number;
  /** Some of the candidates, sorted; empty: any. */
  readonly nodes: readonly string[];
}

export interface MaterialRecord {
  readonly chainPem: string;
  /** The private key, sealed (see Sealer). */
  readonly sealedKey: string;
  readonly names: readonly string[];
  /** As the spec says it: a change of either calls for a new certificate. */
  readonly keyType: string;
  readonly issuerUid: string;
  /** `notBeforeMs` lies back from it, for clocks that differ. */
  readonly issuedMs: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly serialNumber: string;
  /** Of the ACME CA that issued it; absent: it was the built-in CA. */
  readonly directory?: string;
  /** The CA's profile that it was ordered with; absent: none. */
  readonly profile?: string;
  /** The request (`b8s.dev/renew-requested`) that it answers; absent: there was none. */
  readonly renewRequest?: string;
}

export interface HostRecord {
  readonly siteUid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface TokenRecord {
  /** SHA-256 of the secret half, hex. */
  readonly secretHash: string;
  /** The only node it may be used for; empty: any that does not exist yet. */
  readonly node: string;
  readonly expiresMs: number;
  readonly createdBy: string;
}

export interface UserRecord {
  /** In the order in which they were issued. */
  readonly certificates: readonly UserCertificate[];
  /**
   * When all that there was until then was taken back; from then on only `certificates` are good.
   * Absent: never, and so are those that an older dom has issued without keeping a list.
   */
  readonly revoked?: { readonly atMs: number; readonly by: string };
}

export interface UserCertificate {
  /** Hex, lower case. */
  readonly serial: string;
  readonly role: 'admin' | 'viewer';
  readonly createdBy: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

export interface AuthorityRecord {
  readonly caPem: string;
  readonly sealedKey: string;
}

/** RFC 9018 §5: a secret is known everywhere before it is used, and for a while after. */
export interface DnsCookieRecord {
  /** When the active secret began to be used. */
  readonly sinceMs: number;
  readonly active: CookieSecretRecord;
  readonly next: CookieSecretRecord;
  /** Absent: there was none before. */
  readonly previous?: CookieSecretRecord;
}

export interface CookieSecretRecord {
  /** 16 bytes in base64, sealed for `dns-cookie` (see Sealer). */
  readonly sealedKey: string;
}

export interface GeoRecord {
  readonly databases: readonly { readonly digest: string; readonly sizeBytes: number }[];
}

/** A record as it stands in the store. */
export interface Stored<Value> {
  readonly value: Value;
  readonly modRevision: Revision;
}
