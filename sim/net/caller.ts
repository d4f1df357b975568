import type { Identity } from '../../runtime/tls/authority.ts';
import type { Process } from '../engine/process.ts';

/** A sub as the network knows it. */
export interface Caller {
  readonly node: string;
  readonly identity: Identity;
  readonly process: Process;
}
