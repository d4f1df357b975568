import type { LeaseId } from '../../../runtime/store/store.ts';

/** When each lease ends. In memory only: after a restart every lease has its whole time again. */
export class LeaseDeadlines {
  readonly #leases = new Map<LeaseId, { readonly ttlMs: number; deadlineMs: number }>();

  start(lease: LeaseId, { ttlMs, nowMs }: { ttlMs: number; nowMs: number }): void {
    this.#leases.set(lease, { ttlMs, deadlineMs: nowMs + ttlMs });
  }

  renew(lease: LeaseId, nowMs: number): 'renewed' | 'expired' {
    const known = this.#leases.get(lease);
    if (known === undefined || known.deadlineMs <= nowMs) return 'expired';
    known.deadlineMs = nowMs + known.ttlMs;
    return 'renewed';
  }

  /** From here on the lease cannot be renewed. Returns its time to live, if it was known. */
  end(lease: LeaseId): number | undefined {
    const known = this.#leases.get(lease);
    this.#leases.delete(lease);
    return known?.ttlMs;
  }

  due(nowMs: number): readonly LeaseId[] {
    return [...this.#leases].flatMap(([lease, { deadlineMs }]) =>
      deadlineMs <= nowMs ? [lease] : [],
    );
  }

  /** Infinity when there is no lease. */
  nextMs(): number {
    let nextMs = Infinity;
    for (const { deadlineMs } of this.#leases.values()) nextMs = Math.min(nextMs, deadlineMs);
    return nextMs;
  }
}
