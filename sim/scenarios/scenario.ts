import type { NodeRole } from '../../api/node.ts';

/**
 * A story about a cluster, written once and played twice: in simulation, and with real processes.
 * It says who is there, what is done and what must come of it, and nothing of how.
 */
export interface Scenario {
  /** What its file is called, without the ending. */
  readonly name: string;
  /** One sentence. */
  readonly title: string;
  /** What would be wrong in the world if it failed. */
  readonly why: string;
  readonly topology: Topology;
  readonly steps: readonly Step[];
}

export interface Topology {
  /** More than one share a store, and one leads. */
  readonly doms: number;
  readonly nodes: readonly NodeSetup[];
}

export interface NodeSetup {
  readonly name: string;
  readonly roles: readonly NodeRole[];
  /** Degrees, WGS 84. */
  readonly place: { readonly latitude: number; readonly longitude: number };
  /** `later`: a step lets it join. */
  readonly joins: 'first' | 'later';
}

export interface Step {
  /** In the file, from 1. */
  readonly line: number;
  /** The step as it is written, in one line. */
  readonly says: string;
  readonly action: Action;
}

/** An object as a manifest has it; `apiVersion` is added where it is left out. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: unknown;
}

export type Action =
  | {
      readonly do: 'apply';
      readonly manifests: readonly Manifest[];
      /** It must be refused, in words that hold these. */
      readonly refused: string | undefined;
      /** `conflicts`: fields that others declared are taken from them. */
      readonly force: 'conflicts' | undefined;
    }
  | ({ readonly do: 'commit' } & CommitAction)
  | {
      readonly do: 'publish';
      readonly site: string;
      readonly version: number;
      readonly interrupted: Interruption | undefined;
    }
  | { readonly do: 'rollback'; readonly site: string }
  | { readonly do: 'delete'; readonly kind: string; readonly name: string }
  | { readonly do: 'cordon' | 'uncordon' | 'drain' | 'join' | 'remove'; readonly node: string }
  /** `process`: a node's name, or a dom's. */
  | { readonly do: 'kill' | 'start' | 'pause' | 'resume'; readonly process: string }
  | { readonly do: 'cutOff' | 'heal'; readonly node: string }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'visit'; readonly site: string }
  | { readonly do: 'expect'; readonly expectation: Expectation; readonly withinMs: number };

/** What is pushed to the one Git remote of a scenario: changes of what the commit before it held. */
export interface CommitAction {
  /** Its first line, by which the scenario speaks of it. */
  readonly message: string;
  /** Texts by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Those of them that are manifests, as they are written. */
  readonly manifests: readonly Manifest[];
  /** The pages of a site's version, by the folder that they lie in. */
  readonly pages: ReadonlyMap<string, { readonly site: string; readonly version: number }>;
  /** Files, and folders with all that is in them. */
  readonly removes: readonly string[];
}

/** What a scenario calls its Git remote, wherever that is. */
export const GIT_REMOTE = 'https://git.test/infra.git';

/** A process is killed while a release is being uploaded, once dom has got so many more blobs. */
export interface Interruption {
  readonly kill: string;
  readonly afterBlobs: number;
}

/** Some nodes by name, or all that run and have the role. */
export type Which = 'all' | readonly string[];

export type Expectation =
  | {
      readonly of: 'condition';
      readonly kind: string;
      readonly name: string;
      /** "Ready" */
      readonly type: string;
      readonly status: 'True' | 'False' | 'Unknown';
      /** Undefined: any. */
      readonly reason: string | undefined;
    }
  | { readonly of: 'absence'; readonly kind: string; readonly name: string }
  /** A Repository has seen that commit, and says of it by Ready why it goes no further. */
  | {
      readonly of: 'commit';
      readonly repository: string;
      readonly message: string;
      readonly reason: string;
    }
  | {
      readonly of: 'pages';
      readonly site: string;
      /** `nothing`: the node does not serve the site at all. */
      readonly serves: number | 'nothing';
      readonly on: Which;
    }
  | {
      readonly of: 'dns';
      readonly name: string;
      readonly type: RecordType;
      /** A key of `CLIENTS`. */
      readonly from: Client;
      readonly at: Which;
      /** Nodes for addresses, else the values, in any order; empty: there is no such record. */
      readonly answers: readonly string[];
    }
  /** What `b8sctl dns explain` says of an A record. */
  | {
      readonly of: 'explanation';
      readonly name: string;
      readonly from: Client;
      readonly at: Which;
      /** Nodes, in any order. */
      readonly chooses: readonly string[];
      /** Other candidates, each with its health: "not-ready". */
      readonly leaves: ReadonlyMap<string, string>;
    };

export const RECORD_TYPES = ['A', 'MX', 'NS', 'TXT'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/**
 * Where clients sit: an address for each, which the test database of geography knows to be there;
 * `nowhere` is in no database, so that answers to it rotate.
 */
export const CLIENTS = {
  london: '81.2.69.142',
  seattle: '216.160.83.56',
  changchun: '175.16.199.1',
  nowhere: '198.51.100.7',
} as const;
export type Client = keyof typeof CLIENTS;

/** The names of a scenario's doms. */
export function domNames({ doms }: Topology): readonly string[] {
  return doms === 1 ? ['dom'] : Array.from({ length: doms }, (_, index) => `dom-${index + 1}`);
}
