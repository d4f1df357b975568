import type { TrafficReport } from '../../proto/gen/b8s/v1/agent.ts';
import type { TrafficCount } from '../../runtime/site-traffic.ts';

/** What dom was told in one session of what the edges have answered, so that only news is sent. */
export class ToldTraffic {
  readonly #requests = new Map<string, number>();

  /** Undefined: nothing has changed. */
  news(counts: readonly TrafficCount[]): TrafficReport | undefined {
    const changed = counts.filter(
      ({ uid, release, requests }) => this.#requests.get(`${uid} ${release}`) !== requests,
    );
    if (changed.length === 0) return undefined;
    this.#requests.clear();
    for (const { uid, release, requests } of counts)
      this.#requests.set(`${uid} ${release}`, requests);
    return {
      sites: changed.map(({ uid, release, requests, serverErrors }) => ({
        ...{ uid, release, requests: BigInt(requests), serverErrors: BigInt(serverErrors) },
      })),
    };
  }
}
