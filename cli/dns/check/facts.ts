import type { ZoneStatus } from '../../../api/zone.ts';
import type { DnsServer, DnsSilence, DnsTransport } from '../../../runtime/dns/client.ts';

/** What dom says that the world should see of a zone. */
export interface ExpectedZone {
  /** Lower case, without a final dot. */
  readonly origin: string;
  /** Undefined: nothing is served yet. */
  readonly serial: number | undefined;
  /** Sorted by name. */
  readonly nameservers: readonly ExpectedNameserver[];
  /** `tag algorithm digest-type digest`, hex in lower case, sorted; empty: the zone is not signed. */
  readonly ds: readonly string[];
  /** Where its keys are; undefined: it is not signed. */
  readonly phase: NonNullable<ZoneStatus['dnssec']>['phase'] | undefined;
  /** Of all its keys, sorted. */
  readonly keyTags: readonly number[];
  /** What it asks of its parent (RFC 7344, 8078), as `ds`. */
  readonly cds: readonly string[];
  /** Key tags that a person has said are at the parent, sorted; undefined: nothing was said. */
  readonly parentDs: readonly number[] | undefined;
  /** Zones of this cluster: origin to name. */
  readonly zones: ReadonlyMap<string, string>;
}

export interface ExpectedNameserver {
  /** Lower case, without a final dot. */
  readonly name: string;
  /** What dom knows of it; empty: it is another's machine. Sorted. */
  readonly addresses: readonly string[];
  /** Inside the zone: nobody finds it unless the parent holds its addresses, as glue. */
  readonly glue: 'needed' | 'not needed';
}

/** All that was seen, by asking for real. */
export interface ZoneFacts {
  readonly parent: ParentFacts;
  readonly servers: readonly ServerFacts[];
}

export type ParentFacts =
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'known'; readonly zone: string; readonly servers: readonly ParentServer[] };

/** What one nameserver of the parent zone says of the delegation. */
export interface ParentServer {
  readonly name: string;
  readonly server: DnsServer;
  readonly seen:
    | { readonly kind: 'silent'; readonly silence: DnsSilence; readonly why: string }
    | {
        readonly kind: 'answered';
        readonly rcode: number;
        /** Sorted; empty: there is no delegation. */
        readonly nameservers: readonly string[];
        /** Name to addresses, sorted. */
        readonly glue: ReadonlyMap<string, readonly string[]>;
        /** As in `ExpectedZone`; undefined: it did not say. */
        readonly ds: readonly string[] | undefined;
      };
}

/** One address of one nameserver of the zone. */
export interface ServerFacts {
  readonly name: string;
  readonly server: DnsServer;
  readonly byTransport: Readonly<Record<DnsTransport, Seen>>;
  /** Its NS set, sorted; undefined: it did not say. */
  readonly nameservers: readonly string[] | undefined;
  /** Undefined: it did not say. */
  readonly dnssec: DnssecFacts | undefined;
}

/** What a nameserver says at the origin; data in hex, as `DnsRecord` has it. */
export interface DnssecFacts {
  readonly keys: readonly string[];
  readonly keySignatures: readonly string[];
  readonly soa: string | undefined;
  readonly soaSignatures: readonly string[];
  /** As in `ExpectedZone`; undefined: it did not say. */
  readonly cds: readonly string[] | undefined;
}

export type Seen =
  | { readonly kind: 'silent'; readonly silence: DnsSilence; readonly why: string }
  | {
      readonly kind: 'answered';
      readonly rcode: number;
      readonly source: 'authority' | 'other';
      /** Undefined: there was no SOA in the answer. */
      readonly serial: number | undefined;
    };
