import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Mirror } from '../../runtime/store/mirror.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Writer } from '../../runtime/store/writer.ts';
import type { Leadership } from '../leadership.ts';
import type { TrafficDesk } from './traffic-desk.ts';
import type { OpenKey } from './view-entry.ts';

/** What the gateway needs of the rest of dom. */
export interface GatewayPorts {
  readonly mirror: Mirror;
  readonly store: Store;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly leadership: Pick<Leadership, 'epoch' | 'raiseAbove'>;
  readonly openKey: OpenKey;
  /** Keeps what edges say that they have answered. */
  readonly traffic: TrafficDesk;
}
