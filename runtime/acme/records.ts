import type { KeyType } from '../tls/authority.ts';
import type { ChallengeType, RevocationReason } from './acme.ts';

export interface AcmeAccountRecord {
  /** The account is of this CA: another URL in the Issuer calls for another account. */
  readonly directory: string;
  /** Absent: its key is made and stored, the CA has not answered yet. */
  readonly url?: string;
  /** The account's private key, sealed for `acme-account/<uid of the Issuer>`. */
  readonly sealedKey: string;
  /** When the key was made. */
  readonly keyMs: number;
  /** What the CA was told. */
  readonly contact: readonly string[];
  /** The external account that it was bound to; absent: none. */
  readonly externalKeyId?: string;
  /** The key that is about to take over, sealed likewise: kept before the CA hears of it. */
  readonly nextSealedKey?: string;
  /** The newest request for another key (`b8s.dev/rollover-requested`) that was heard; absent: none. */
  readonly rollover?: string;
  /** Where the CA's terms are, as it last said; absent: it did not. */
  readonly termsOfService?: string;
  /** Certificates, by uid, whose orders the CA could not be asked for since it last could. */
  readonly troubled?: readonly string[];
  /** Times in a row that it was left alone for a while; absent: it answers. */
  readonly failures?: number;
  /** Why it could not be asked, and until when nobody asks it with this account; absent: it could. */
  readonly failure?: IssuanceFailure;
  /** Generation of the Issuer that failed: with another one the CA is asked at once. */
  readonly failedGeneration?: number;
  /** Why the CA has closed it, for a person: another account is needed; absent: it has not. */
  readonly closed?: string;
  /** When it took the place of one that the CA had closed; absent: it did not. */
  readonly replacedMs?: number;
  /** Until it is registered: its key had an account at this CA before, which is found by it. */
  readonly isKnown?: true;
  /** Accounts that the Issuer had before it was changed, the newest last; absent: none. */
  readonly earlier?: readonly EarlierAccount[];
}

/** An account at another CA, or bound to another external one: used again by who goes back to it. */
export type EarlierAccount = Pick<
  AcmeAccountRecord,
  'directory' | 'sealedKey' | 'keyMs' | 'contact' | 'externalKeyId'
>;

/**
 * An order, as far as it has come. It is written before the CA hears of it, with the key that the
 * certificate will have: whoever finds it goes on with it, and never orders again (INV-30).
 */
export interface AcmeOrderRecord {
  readonly certificate: { readonly namespace: string; readonly name: string };
  /** The Issuer that is asked, the declared one or one of its fallbacks. */
  readonly issuerUid: string;
  /** The account that it was placed with. */
  readonly accountUrl: string;
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly profile?: string;
  /** Generation of the Certificate that it is for. */
  readonly generation: number;
  /** The request (`b8s.dev/renew-requested`) that it answers; absent: there was none. */
  readonly renewRequest?: string;
  /** The private key of the certificate to come, sealed for the Certificate's uid. */
  readonly sealedKey: string;
  readonly startedMs: number;
  /** When it last came further: one that does not is given up within a bound. */
  readonly progressMs: number;
  /** How often the CA was, or was about to be, asked to begin it; each time is counted. */
  readonly placings: number;
  /** How the newest of these is counted; absent: by an older version. */
  readonly counted?: Pick<AcmeCountRecord, 'directory' | 'startedMs' | 'kind'>;
  /** Fingerprint of the certificate that it takes over from, for the CA (RFC 9773 §5). */
  readonly replaces?: string;
  /**
   * `placing`: the CA may or may not have heard of it. `validating`: proofs are put up and asked
   * for. `finalizing`: all names are proven. `downloading`: the certificate is there to be fetched.
   */
  readonly phase: 'placing' | 'validating' | 'finalizing' | 'downloading';
  /** From `validating` on. */
  readonly url?: string;
  readonly finalizeUrl?: string;
  /** From `downloading` on. */
  readonly certificateUrl?: string;
  readonly authorizations: readonly AcmeAuthorizationRecord[];
  /** Where the best way to prove a name is blocked, one that is open, by name; absent: nowhere. */
  readonly ways?: Readonly<Record<string, ChallengeType>>;
  /** Name servers of others that did not have the proofs at the last look, for a person. */
  readonly outside?: readonly string[];
  /** Not to be looked at before: the CA's Retry-After, or a rest after it could not be asked. */
  readonly notBeforeMs?: number;
  /** When that was noted; absent: by a version that did not say. */
  readonly heldSinceMs?: number;
  /** Times in a row that the CA could not be asked for it; absent: it could. */
  readonly troubles?: number;
  /** The last of these, for a person. */
  readonly trouble?: Pick<IssuanceFailure, 'reason' | 'message'>;
}

export interface AcmeAuthorizationRecord {
  readonly url: string;
  /** Without `*.`; empty: it was not read yet. */
  readonly name: string;
  readonly wildcard: boolean;
  /** `proposed`: the proof is being put up. `asked`: the CA was told to look. */
  readonly state: 'pending' | 'proposed' | 'asked' | 'valid';
  /** While `asked`: since when. */
  readonly askedMs?: number;
  /** From `proposed` until `valid`. */
  readonly proof?: ProofRecord;
}

/** What is put up for the CA to see. None of it is secret. */
export type ProofRecord = {
  /** Of the challenge. */
  readonly url: string;
  readonly token: string;
  /** When it was stored: where to look for it is bounded in time. */
  readonly sinceMs: number;
  /** The first serial of the zone in question with it in it; absent: not compiled yet. */
  readonly serial?: number;
  /** It was chosen because no Zone of ours held the name then; absent: one did. */
  readonly withoutZone?: true;
} & (
  | {
      readonly type: 'dns-01';
      /** Where the TXT record goes: `_acme-challenge.<name>`, or what that is an alias of. */
      readonly recordName: string;
      readonly recordValue: string;
      /** `namespace/name` of the Zone that it goes into. */
      readonly zone: string;
    }
  | { readonly type: 'http-01'; readonly keyAuthorization: string }
  | {
      readonly type: 'tls-alpn-01';
      /** SHA-256 of the key authorization, hex (RFC 8737 §3). */
      readonly digest: string;
    }
);

export interface AcmeCountRecord {
  readonly issuerUid: string;
  /** The CA: several accounts of one share some limits. */
  readonly directory: string;
  readonly names: readonly string[];
  readonly startedMs: number;
  /**
   * `renewal`: for exactly the names of a certificate from before. `suggested`: one that the CA
   * itself wants to be replaced by now (RFC 9773 §5).
   */
  readonly kind: 'first' | 'renewal' | 'suggested';
  /** When its order came to an end; absent: it goes on. */
  readonly endedMs?: number;
  /** `none`: it ended before the CA was asked for a certificate; absent: there may be one. */
  readonly certificate?: 'none';
  /** The CA refused it as one too many: it is not asked for just these names before (RFC 8555 §6.6). */
  readonly refusedUntilMs?: number;
}

export interface IssuanceFailure {
  /** For a person: what was being done, and what the CA said. */
  readonly message: string;
  /** One word: the CA's problem type, e.g. "rateLimited"; or "unreachable", "selfCheck", … */
  readonly reason: string;
  /** When that was noted; absent: long ago. */
  readonly sinceMs?: number;
  readonly nextTryMs: number;
}

export interface IssuanceRecord {
  /** The newest tries, oldest first, at most 20. */
  readonly tries: readonly IssuanceTry[];
  /** Failures in a row. */
  readonly failures: number;
  /** Absent: the last try succeeded, or there was none. */
  readonly failure?: IssuanceFailure;
  /** Generation of the Certificate that failed: another one is tried at once. */
  readonly generation: number;
  /** The request (`b8s.dev/renew-requested`) at that try: after another one it is tried at once. */
  readonly renewRequest?: string;
  /** What the CA says of renewing the certificate in use (RFC 9773); absent: it was not asked yet. */
  readonly renewal?: RenewalRecord;
}

export interface RenewalRecord {
  /** Of the certificate that it speaks of. */
  readonly fingerprint: string;
  /** When to ask again. */
  readonly askAgainMs: number;
  /** Absent: the CA does not say. */
  readonly window?: {
    readonly startMs: number;
    readonly endMs: number;
    /** Drawn from the window, once a window. */
    readonly renewMs: number;
    readonly explanationUrl?: string;
  };
}

export interface IssuanceTry {
  readonly startedMs: number;
  readonly endedMs: number;
  /** Name of the Issuer. */
  readonly issuer: string;
  readonly names: readonly string[];
  readonly orderUrl?: string;
  readonly outcome: 'issued' | 'failed' | 'abandoned';
  /** Names, without `*.`, that the CA looked for and did not find proven; absent: none. */
  readonly unproven?: readonly string[];
  /** Fingerprint of what was issued, or why it failed. */
  readonly detail: string;
}

export interface RevocationRecord {
  readonly certificate: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly issuerUid: string;
  readonly chainPem: string;
  /** Its key, sealed for the Certificate's uid, until it is revoked; absent: it was not kept. */
  readonly sealedKey?: string;
  readonly reason: RevocationReason;
  readonly requestedMs: number;
  /** Absent: not yet. */
  readonly revokedMs?: number;
  /** Times in a row that the CA refused; absent: none. */
  readonly failures?: number;
  readonly failure?: IssuanceFailure;
}
