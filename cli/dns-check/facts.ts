import type { DnsServer, DnsSilence, DnsTransport } from '../../runtime/dns-client.ts';

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
  /** `begun`: older answers without signatures are still about, so there is no DS to give yet. */
  readonly signing: 'begun' | 'other';
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
