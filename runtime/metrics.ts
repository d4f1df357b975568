export type Labels = Readonly<Record<string, string>>;

/** Counters, gauges and histograms, as a port: Prometheus in production. Names as Prometheus wants them. */
export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  gauge(name: string, value: number, labels?: Labels): void;
  /** Durations in seconds. */
  observe(name: string, seconds: number, labels?: Labels): void;
  /**
   * A gauge, or a counter, that is read whenever someone looks; what `read` leaves out is gone. Never
   * throws.
   */
  collect(
    name: string,
    labelNames: readonly string[],
    read: () => readonly Reading[],
    kind?: 'gauge' | 'counter',
  ): void;
}

/** One series of a gauge: with a value for each of its labels. */
export interface Reading {
  readonly labels: Labels;
  readonly value: number;
}

export const noMetrics: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
  collect: () => undefined,
};
