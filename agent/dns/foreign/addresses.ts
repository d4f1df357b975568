import type { NameKey } from '../message/name.ts';

/** The addresses of a name that other people's servers answer for. */
export interface ForeignAddresses {
  /** Empty: there is no such name, or no address of this family. */
  readonly addresses: readonly Uint8Array[];
  readonly ttlS: number;
  /** `stale`: its time is over, but nobody could be asked since. */
  readonly age: 'fresh' | 'stale';
}

/** What is known by now; undefined: nothing yet. Never waits. */
export type LookUpForeign = (name: NameKey, family: 'A' | 'AAAA') => ForeignAddresses | undefined;
