import type { Random } from '../../runtime/random.ts';
import { TICKET_KEYS_BYTES } from './worker-config.ts';

/**
 * How long TLS session tickets are made and taken with one key. Whoever gets hold of it can read
 * what was sent in sessions that began with it, and no others (RFC 8446 §8.1 and appendix E.6, RFC
 * 5077 §5.5). A ticket is worth five minutes, so few of them come too late, and those cost a client
 * a whole handshake, nothing else.
 */
export const TICKET_KEYS_MS = 3_600_000;

/** The key of all workers of a node, so that each resumes the sessions of the others. */
export interface TicketKeys {
  current(): Uint8Array;
  /** Forgets the current one. */
  renew(): void;
}

export function createTicketKeys(random: Pick<Random, 'bytes'>): TicketKeys {
  const make = (): Uint8Array => Uint8Array.from(random.bytes(TICKET_KEYS_BYTES));
  let keys = make();
  return {
    current: () => keys,
    renew: () => {
      keys = make();
    },
  };
}
