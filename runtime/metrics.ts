export type Labels = Readonly<Record<string, string>>;

/** Counters, gauges and histograms, as a port: Prometheus in production. Names as Prometheus wants them. */
export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  gauge(name: string, value: number, labels?: Labels): void;
  /** Durations in seconds. */
  observe(name: string, seconds: number, labels?: Labels): void;
}

export const noMetrics: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};
