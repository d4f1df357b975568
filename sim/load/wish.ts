import type { Published } from './content.ts';
import type { Place } from './places.ts';

/** Where requests of a site are sent: its `spec.routing`. */
export interface Routing {
  readonly policy: 'nearest' | 'weighted' | 'failover';
  /** Nodes in one answer. */
  readonly answers: number;
  readonly weights?: Readonly<Record<string, number>>;
  readonly order?: readonly string[];
  readonly regions?: readonly RegionWish[];
  /** For clients whose place is unknown. */
  readonly fallback?: FallbackWish;
}

export interface RegionWish {
  readonly countries?: readonly string[];
  readonly continents?: readonly (keyof typeof CONTINENT_CODES)[];
  readonly nodes: readonly string[];
}

export interface FallbackWish {
  readonly location?: Place;
  readonly nodes?: readonly string[];
}

/** Those that clients are in, as manifests write them, and as databases do. */
export const CONTINENT_CODES = { asia: 'AS', europe: 'EU', 'north-america': 'NA' } as const;

export interface SiteWish {
  readonly name: string;
  readonly host: string;
  readonly release: Published;
  /** All releases since the site was created: those that one can go back to. */
  readonly releases: readonly Published[];
  readonly ttl: number;
  readonly routing: Routing;
  /** Its `spec.rollout`; left out: all nodes at once. */
  readonly rollout?: object | undefined;
  /** Its `spec.previews`; left out: none. */
  readonly previews?: PreviewsWish | undefined;
  /** Its `spec.auth`; left out: everybody may see all of it. */
  readonly auth?: object | undefined;
  /** Its `spec.accessLog`; left out: none. */
  readonly accessLog?: object | undefined;
  /** Of its certificate; left out: b8s's own CA. */
  readonly issuer?: string | undefined;
}

export interface PreviewsWish {
  readonly domain: string;
  /** How many releases have one. */
  readonly keep: number;
}

export interface ZoneWish {
  readonly name: string;
  readonly origin: string;
  /** Stands in two TXT records of the zone, which must never disagree (INV-23). */
  readonly version: number;
}

/** A Certificate that is declared by hand. */
export interface CertificateWish {
  readonly name: string;
  readonly names: readonly string[];
  readonly issuer: string;
}

export interface NodeWish {
  readonly use: 'in use' | 'cordoned' | 'drained';
}

/** What the users want, as dom has acknowledged it. Whoever changes something changes this, too. */
export interface Wish {
  readonly sites: Map<string, SiteWish>;
  readonly zones: Map<string, ZoneWish>;
  readonly nodes: Map<string, NodeWish>;
  readonly certificates: Map<string, CertificateWish>;
  /** Grows with each change of members' passwords; 0: there are none. */
  membersVersion: number;
  /** Sites that can never become ready, and must harm no other (INV-5). */
  readonly poisoned: Set<string>;
}

export function nothingWished(): Wish {
  return {
    ...{ sites: new Map(), zones: new Map(), nodes: new Map() },
    ...{ certificates: new Map(), poisoned: new Set() },
    membersVersion: 0,
  };
}

/** The same wish, which stays as it is. */
export function copyOf(wish: Wish): Wish {
  const { sites, zones, nodes, certificates, poisoned } = wish;
  return {
    ...wish,
    ...{ sites: new Map(sites), zones: new Map(zones) },
    ...{ nodes: new Map(nodes), certificates: new Map(certificates) },
    poisoned: new Set(poisoned),
  };
}

export const NAMESPACE = 'default';
export const ORIGIN = 'example.test';
export const ZONE_NAME = 'example-test';
/** Below it are previews: it lies in the zone. */
export const PREVIEW_DOMAIN = `preview.${ORIGIN}`;
/** Another zone, which comes and goes, and in which no site lies. */
export const SIDE_ORIGIN = 'side.test';
export const SIDE_ZONE_NAME = 'side-test';

/** `blog` is served at blog.example.test. */
export function hostOf(site: string): string {
  return `${site}.${ORIGIN}`;
}
