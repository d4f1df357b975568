import type { Check, CheckPorts } from '../check.ts';

export interface RestPorts extends CheckPorts {
  /** Doms that take themselves for the leader. */
  readonly leaders: () => readonly string[];
  /** Whether all that a host needs is there: not for a node that was removed. */
  readonly isSound: (host: string) => boolean;
}

/** What rots may do so long before somebody looks at it. */
export const MENDS: ReadonlySet<string> = new Set(['a blob is damaged and is fetched again']);

/**
 * INV-2: at rest nobody even tries to write, nobody has anything to complain of, and one dom leads.
 * A loop whose every attempt is refused leaves no trace in the store itself.
 */
export function restCheck({ violated, leaders, isSound }: RestPorts): Check {
  let phase: 'busy' | 'at rest' = 'busy';
  return {
    settled() {
      phase = 'at rest';
    },
    rested() {
      phase = 'busy';
      const leading = leaders();
      if (leading.length > 1)
        violated(2, `at rest ${leading.join(' and ')} take the lead for theirs`);
    },
    stored(event) {
      if (phase === 'busy' || event.kind !== 'refused') return;
      const keys = event.transaction.writes.map(({ key }) => key).join(' ');
      violated(2, `at rest ${event.process} tries to write ${keys}`);
    },
    logged(host, { level, message, fields }) {
      const isComplaint = level === 'warn' || level === 'error';
      if (phase === 'busy' || !isComplaint || !isSound(host) || MENDS.has(message)) return;
      violated(2, `at rest ${host} complains: ${message} ${JSON.stringify(fields)}`);
    },
  };
}
