import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Labels, Metrics, Reading } from '../metrics.ts';

/** Combinations of label values of one metric; above, new ones are left out (and counted). */
export const SERIES_MAX = 2_000;

/** Seconds: from a lookup in memory to a slow certificate authority. */
export const DURATION_BUCKETS_S = [
  0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

export interface PrometheusMetrics extends Metrics {
  /** Prometheus's text format, version 0.0.4. */
  render(): Promise<string>;
}

export interface PrometheusOptions {
  /** What `# HELP` says, by metric name; without one: the name in words. */
  readonly help?: Readonly<Record<string, string>>;
  /** Also the process's own: CPU, memory, event loop, garbage collection. */
  readonly process?: 'included' | 'left out';
}

/**
 * Metrics for Prometheus, in a registry of their own.
 *
 * Guarantees: never throws at a caller, and stays bounded. A metric's label names are those of its
 * first use; what comes later with others is dropped, as is a name used as two kinds. What was
 * dropped is counted in `b8s_metrics_dropped_total`.
 */
export function prometheusMetrics(options: PrometheusOptions = {}): PrometheusMetrics {
  const registry = new Registry();
  if (options.process !== 'left out') collectDefaultMetrics({ register: registry });
  const help = (name: string) => options.help?.[name] ?? HELP[name] ?? inWords(name);
  const dropped = new Counter({
    name: DROPPED,
    help: help(DROPPED),
    labelNames: ['metric'],
    registers: [registry],
  });
  const families = new Map<string, Family>();

  function record(kind: Family['kind'], name: string, labels: Labels, value: number): void {
    const family = families.get(name) ?? make(kind, name, labels);
    if (family.kind === kind && accepts(family, labels) && Number.isFinite(value)) {
      family.record(labels, value);
    } else {
      dropped.inc({ metric: name });
    }
  }

  function make(kind: Family['kind'], name: string, labels: Labels): Family {
    const labelNames = Object.keys(labels).toSorted();
    const configuration = { name, help: help(name), labelNames, registers: [registry] };
    const family = {
      kind,
      labelNames,
      series: new Set<string>(),
      record: recorder(kind, configuration),
    };
    families.set(name, family);
    return family;
  }

  return {
    count: (name, labels = {}, by = 1) => record('counter', name, labels, by),
    gauge: (name, value, labels = {}) => record('gauge', name, labels, value),
    observe: (name, seconds, labels = {}) => record('histogram', name, labels, seconds),
    collect(name, labelNames, read, kind = 'gauge') {
      registry.removeSingleMetric(name);
      const configuration = { name, help: help(name), labelNames: [...labelNames] };
      const collected = kind === 'gauge' ? collectedGauge : collectedCounter;
      collected({ ...configuration, registers: [registry] }, read);
    },
    render: () => registry.metrics(),
  };
}

function collectedGauge(configuration: Configuration, read: () => readonly Reading[]): Gauge {
  return new Gauge({
    ...configuration,
    collect() {
      this.reset();
      for (const { labels, value } of read().slice(0, SERIES_MAX)) this.set(labels, value);
    },
  });
}

function collectedCounter(configuration: Configuration, read: () => readonly Reading[]): Counter {
  return new Counter({
    ...configuration,
    collect() {
      this.reset();
      for (const { labels, value } of read().slice(0, SERIES_MAX)) this.inc(labels, value);
    },
  });
}

const DROPPED = 'b8s_metrics_dropped_total';

const HELP: Readonly<Record<string, string>> = {
  [DROPPED]:
    'Observations that were left out, by metric: too many series, or other labels than before.',
  b8s_reconciles_total: 'Reconciles, by controller and result.',
  b8s_reconcile_seconds: 'How long a reconcile takes, by controller.',
  b8s_reconcile_last_timestamp_seconds:
    'When a controller last finished a reconcile; one that has objects does so every hour.',
  b8s_certificate_expiry_timestamp_seconds: 'When the certificate in use ends.',
  b8s_certificate_renewal_timestamp_seconds: 'When it is to be renewed.',
  b8s_certificate_issued_timestamp_seconds: 'When the certificate in use was issued.',
  b8s_certificate_ready: '1: it is good, and as it is declared.',
  b8s_node_dns_limited:
    'Answers that a nameserver dropped or cut for its rate limit, or spared for a valid cookie.',
  b8s_blob_bytes_sent_total: 'Bytes of content that dom itself has sent to nodes.',
  b8s_uploaded_blobs_total: 'Blobs that were pushed to dom, by the way in which they came.',
  b8s_blob_lists_total: 'Nodes that asked where to fetch from, by whom they were sent to.',
  b8s_certificate_failures: 'Tries to issue it that failed in a row.',
};

interface Family {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labelNames: readonly string[];
  /** The label values that were seen, one text each. */
  readonly series: Set<string>;
  readonly record: (labels: Labels, value: number) => void;
}

interface Configuration {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

function recorder(kind: Family['kind'], configuration: Configuration): Family['record'] {
  switch (kind) {
    case 'counter': {
      const counter = new Counter(configuration);
      // Counters only grow: prom-client throws at a negative step.
      return (labels, by) => counter.inc(labels, Math.max(0, by));
    }
    case 'gauge': {
      const gauge = new Gauge(configuration);
      return (labels, value) => gauge.set(labels, value);
    }
    case 'histogram': {
      const histogram = new Histogram({ ...configuration, buckets: [...DURATION_BUCKETS_S] });
      return (labels, seconds) => histogram.observe(labels, seconds);
    }
  }
}

function accepts({ labelNames, series }: Family, labels: Labels): boolean {
  const values = labelNames.map((name) => labels[name]);
  if (values.includes(undefined) || Object.keys(labels).length !== labelNames.length) return false;
  const key = JSON.stringify(values);
  if (series.has(key)) return true;
  if (series.size >= SERIES_MAX) return false;
  series.add(key);
  return true;
}

/** "b8s_dns_queries_total" → "b8s dns queries total". */
function inWords(name: string): string {
  return name.replaceAll('_', ' ');
}
