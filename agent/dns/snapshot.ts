import type { ServerIdentity } from './chaos.ts';
import type { Cookies } from './cookie/cookies.ts';
import type { LookUpForeign } from './foreign/addresses.ts';
import type { DirectoryNode, HealthMap } from './geo/directory.ts';
import type { Locate } from './geo/geography.ts';
import type { NameKey } from './message/name.ts';
import type { CompiledZone } from './zone/zone.ts';

/** All that answers are made from; immutable, replaced whole (INV-23). */
export interface DnsSnapshot {
  /** The node that answers. */
  readonly nameserver: string;
  /** By origin. */
  readonly zones: ReadonlyMap<NameKey, CompiledZone>;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, DirectoryNode>;
  readonly health: HealthMap;
  readonly locate: Locate;
  /** Left out: nothing is known of names that are not served here. */
  readonly lookUpForeign?: LookUpForeign | undefined;
  /** Left out: cookies are neither given nor taken. */
  readonly cookies?: Cookies | undefined;
  /** Left out: nobody is told what this server is, except by NSID. */
  readonly identity?: ServerIdentity | undefined;
}
