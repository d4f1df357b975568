import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { http } from './http-module.ts';

export interface MetricsListener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` in the clear, for a Prometheus on this machine or in a network of one's own.
 * Errors: rejects when the address cannot be bound.
 */
export async function listenMetrics(options: {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly render: () => Promise<string>;
}): Promise<MetricsListener> {
  const server = http.createServer((request, response) => {
    request.resume();
    const isAsked = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
    const say = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': METRICS_TYPE, connection: 'close' });
      response.end(body);
    };
    if (!isAsked) return say(404, 'there is /metrics\n');
    options.render().then(
      (body) => say(200, body),
      () => say(500, 'the metrics could not be read\n'),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  server.listen({ host: options.address, port: options.port });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const CONNECTIONS_MAX = 16;
const REQUEST_MS = 10_000;
/** Prometheus's text format, version 0.0.4. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
