import type { Digest } from '../../runtime/content/digest.ts';

/**
 * All that an edge worker needs to answer, as plain data that can be posted to a thread. It names
 * releases only by digest: the worker reads each manifest from the node's disk once.
 */
export interface EdgeSnapshot {
  readonly sites: readonly EdgeSite[];
  readonly certificates: readonly EdgeCertificate[];
  /** Where plain HTTP is sent to; left out of the URL when it is 443. */
  readonly httpsPort: number;
  /** `leave`: who is connected is asked to go elsewhere; left out: `stay`. */
  readonly clients?: 'stay' | 'leave';
  /** What this edge shows to CAs, whether it has a site of the host or not; left out: nothing. */
  readonly proofs?: EdgeProofs;
  /** How other nodes fetch blobs from this one; left out: they cannot. */
  readonly peering?: EdgePeering;
}

export interface EdgePeering {
  /** What grants are known by; see `runtime/content/peer-url.ts`. */
  readonly key: Uint8Array;
  /** Shown to who asks for `PEER_SERVER_NAME`, whatever else the node serves. */
  readonly certificate: EdgeCertificate;
}

export interface EdgeProofs {
  /** Answers over plain HTTP (RFC 8555 §8.3), sorted by token. */
  readonly http: readonly EdgeHttpProof[];
  /** Answers to who offers `acme-tls/1` alone (RFC 8737 §3), sorted by token. */
  readonly alpn: readonly EdgeAlpnProof[];
}

export interface EdgeHttpProof {
  readonly host: string;
  /** base64url. */
  readonly token: string;
  readonly keyAuthorization: string;
}

export interface EdgeAlpnProof {
  readonly host: string;
  readonly token: string;
  /** SHA-256 of the key authorization. */
  readonly digest: Uint8Array;
}

/** `SitePlan` of `plan.proto`, as far as an edge cares. */
export interface EdgeSite {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Lower case, without a final dot. When two sites name one host, the first site has it. */
  readonly hosts: readonly string[];
  /** Left out: nothing to serve yet. Its manifest and every blob of it are on disk. */
  readonly release?: Digest;
  /** Relative to the release's root; empty, or not in the release: a built-in page. */
  readonly notFoundPage: string;
  readonly singlePageApp: boolean;
  /** The last rule that fits wins; an empty value removes the header. */
  readonly headers: readonly EdgeHeaderRule[];
  /** The first rule that fits wins. */
  readonly redirects: readonly EdgeRedirectRule[];
  /** Fingerprint of the certificate to prefer. Left out: any that covers the host. */
  readonly certificate?: string;
  /** When dom switched to the release, in whole seconds since 1970 UTC. Left out: unknown. */
  readonly switchedAtS?: number;
  /** Left out: as an older dom would have it, which is without any. */
  readonly options?: EdgeOptionsOfSite;
  /** Releases at hosts of their own, the newest first. */
  readonly previews?: readonly EdgePreview[];
  /** Fingerprint of the one for hosts of previews that the site's own does not cover. */
  readonly previewCertificate?: string;
  /** Of the releases above, where their compressed forms are on disk. Left out: of none. */
  readonly variants?: readonly EdgeVariants[];
  /** Left out: nobody is asked for a password. */
  readonly auth?: EdgeAuth;
}

/** `ServingOptions` of `plan.proto`. */
export interface EdgeOptionsOfSite {
  readonly canonicalHost: boolean;
  readonly hideHtml: boolean;
  readonly trailingSlash: 'auto' | 'always' | 'never';
  readonly immutableAssets: boolean;
  /** Strict-Transport-Security. Left out: none is sent. */
  readonly hsts?: {
    readonly maxAgeS: number;
    readonly includeSubdomains: boolean;
    readonly preload: boolean;
  };
  readonly securityHeaders: 'none' | 'basic' | 'strict';
  /** By file extension, lower case, without its dot. */
  readonly mimeTypes: ReadonlyMap<string, string>;
  /** Left out: nothing is noted of single requests. */
  readonly accessLog?: EdgeAccessLog;
}

/** What is noted of each request. */
export interface EdgeAccessLog {
  readonly format: 'json' | 'combined';
  /** Of 100 requests, from 0 to 100; errors of the server (5xx) always are. */
  readonly percent: number;
  /** `network`: its /24, of IPv6 its /48. */
  readonly clientAddress: 'none' | 'network' | 'full';
}

export interface EdgeVariants {
  readonly release: Digest;
  /** A blob, see `runtime/content/variants.ts`. */
  readonly index: Digest;
  /** Forms that it names and that are not on disk; sorted. */
  readonly absent: readonly Digest[];
}

export interface EdgePreview {
  /** Lower case. One that is a host of a site, too, is that site's. */
  readonly host: string;
  /** On disk like the site's own. Left out: it is still on its way. */
  readonly release?: Digest;
}

export interface EdgeAuth {
  readonly realm: string;
  /** Paths, or prefixes ending in `*`. */
  readonly paths: readonly string[];
  /** Hashes by user name; `runtime/secret/password-hash.ts`. */
  readonly hashByUser: ReadonlyMap<string, string>;
}

export interface EdgeHeaderRule {
  /** Of paths; see `path-pattern.ts`. */
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

export interface EdgeRedirectRule {
  /** Of paths; see `path-pattern.ts`. */
  readonly from: string;
  /** A path or an absolute URL; `*` and `:name` are replaced by what those of `from` matched. */
  readonly to: string;
  /** 200 and 404 answer with the file at `to`. */
  readonly status: number;
  /** 200 and 404 count where there is a file, too; redirects always do. */
  readonly force?: boolean;
}

export interface EdgeCertificate {
  /** DNS names, lower case; `*.example.com` stands for one label. */
  readonly names: readonly string[];
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** PEM, PKCS #8. */
  readonly keyPem: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
}
