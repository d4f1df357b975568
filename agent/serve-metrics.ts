import { prometheusMetrics } from '../runtime/node/metrics.ts';
import { listenMetrics, type MetricsListener } from '../runtime/node/metrics-listener.ts';
import { showTraffic } from '../runtime/traffic/traffic-metrics.ts';
import type { Agent } from './agent.ts';
import type { DataPlane } from './plane/plane.ts';

/** What a node itself shows to Prometheus. Errors: rejects when the address cannot be bound. */
export function serveMetrics(
  place: { readonly address: string; readonly port: number },
  agent: Agent,
  plane: DataPlane,
): Promise<MetricsListener> {
  const metrics = prometheusMetrics();
  const none = {};
  showTraffic(metrics, 'b8s_edge', () => agent.counted().sites);
  metrics.collect('b8s_edge_connections', [], () => [
    {
      labels: none,
      value: plane.state().reduce((sum, { connections = 0 }) => sum + connections, 0),
    },
  ]);
  const dropped = () => [{ labels: none, value: agent.counted().droppedLines }];
  metrics.collect('b8s_access_log_dropped_lines_total', [], dropped, 'counter');
  const isConnected = () => Number(agent.state().session.phase === 'connected');
  metrics.collect('b8s_session_connected', [], () => [{ labels: none, value: isConnected() }]);
  return listenMetrics({ ...place, render: () => metrics.render() });
}
