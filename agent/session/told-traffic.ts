import type { TrafficReport } from '../../proto/gen/b8s/v1/agent.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';

/** What dom was told in one session of what the edges have answered, so that only news is sent. */
export class ToldTraffic {
  /** Requests and bytes, by site and release: nothing else changes without one of these. */
  readonly #told = new Map<string, string>();

  /** Undefined: nothing has changed. */
  news(counts: readonly TrafficCount[]): TrafficReport | undefined {
    const changed = counts.filter(
      (count) => this.#told.get(`${count.uid} ${count.release}`) !== stateOf(count),
    );
    if (changed.length === 0) return undefined;
    this.#told.clear();
    for (const count of counts) this.#told.set(`${count.uid} ${count.release}`, stateOf(count));
    return {
      sites: changed.map(({ uid, release, lateMs, ...count }) => ({
        ...{ uid, release, lateMs, requests: BigInt(count.requests) },
        serverErrors: BigInt(count.serverErrors),
        clientErrors: BigInt(count.clientErrors),
        redirects: BigInt(count.redirects),
        bytes: BigInt(count.bytes),
        late: count.late.map(BigInt),
      })),
    };
  }
}

function stateOf({ requests, bytes }: TrafficCount): string {
  return `${requests} ${bytes}`;
}
