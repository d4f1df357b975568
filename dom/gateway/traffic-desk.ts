import type { NodeLoad } from '../../proto/gen/b8s/v1/agent.ts';
import type { Clock } from '../../runtime/clock.ts';
import {
  sumOfCounts,
  TrafficBoard,
  type TrafficCount,
} from '../../runtime/traffic/site-traffic.ts';
import { SITES_MAX, TrafficWindow } from '../../runtime/traffic/traffic-window.ts';

/** All that dom keeps, in memory, of what edges say that they have answered. */
export class TrafficDesk {
  /** By node, site and release: what rolling rollouts are judged by. */
  readonly board: TrafficBoard = new TrafficBoard();
  /** What was answered lately. */
  readonly lately: TrafficWindow;
  readonly #totals = new Map<string, TrafficCount>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.lately = new TrafficWindow(clock.monotonicMs());
  }

  /** Of all nodes since this dom began to listen, by the uid of the Site. */
  get totals(): ReadonlyMap<string, TrafficCount> {
    return this.#totals;
  }

  heard(node: string, counts: readonly TrafficCount[]): void {
    const news = this.board.heard(node, counts);
    this.lately.heard(node, news, this.#clock.monotonicMs());
    for (const count of news) {
      const before = this.#totals.get(count.uid);
      if (before !== undefined) this.#totals.set(count.uid, sumOfCounts(before, count));
      else if (this.#totals.size < SITES_MAX) this.#totals.set(count.uid, count);
    }
  }

  loaded(node: string, load: NodeLoad | undefined): void {
    if (load === undefined || !(load.cpuS >= 0)) return;
    const { cpuS, connections, rssBytes } = load;
    const said = { cpuS, connections, rssBytes: Number(rssBytes) };
    this.lately.loaded(node, said, this.#clock.monotonicMs());
  }

  /** The Site is none any more. */
  forgetSite(uid: string): void {
    this.#totals.delete(uid);
  }

  /** The node is none any more. */
  forget(node: string): void {
    this.board.forget(node);
    this.lately.forget(node);
  }
}
