import { type Command, Option } from 'commander';
import { formatBytes, NONE } from '../../api/column.ts';
import type {
  NodeTrafficRates,
  SiteTrafficRates,
  TrafficRates,
} from '../../proto/gen/b8s/v1/api.ts';
import type { TrafficSummary } from '../../runtime/api-client.ts';
import type { Cli } from '../cli.ts';
import { fitOf, renderTable, type TableOptions } from '../render/table.ts';

interface TopOptions {
  readonly sortBy: SortKey;
  readonly watch?: true;
  readonly node?: string;
  readonly allNamespaces?: true;
}

/** `top sites [--node N] [--sort-by C] [-w]` and `top nodes` */
export function registerTop(command: Command, cli: Cli): void {
  command
    .command('sites')
    .description('Show how much is asked of sites, and how that is answered.')
    .option('--node <name>', 'by this node alone')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(sortOption('requests'))
    .option('-w, --watch', 'show it again every 2 seconds, until Ctrl-C')
    .addHelpText('after', SITES_HELP)
    .action(async (options: TopOptions) => {
      const namespace = options.allNamespaces === true ? '' : await cli.namespace();
      await show(options, cli, (summary) =>
        siteTable(summary, { ...options, namespace, fit: fitOf(cli.terminal) }),
      );
    });
  command
    .command('nodes')
    .description('Show how much nodes answer, and what that takes.')
    .addOption(sortOption('requests'))
    .option('-w, --watch', 'show it again every 2 seconds, until Ctrl-C')
    .addHelpText('after', NODES_HELP)
    .action(async (options: TopOptions) => {
      await show(options, cli, (summary) =>
        nodeTable(summary, { ...options, fit: fitOf(cli.terminal) }),
      );
    });
}

const SITES_HELP = `
Rates are of the last 30 to 60 seconds. P50 and P99 say within how long answers begin; what is in
memory begins at once (<1ms), what is read from disk a little later.

Examples:
  b8sctl top sites
  b8sctl top sites -A --node fra1 --sort-by 5xx
  b8sctl top sites -w`;

const NODES_HELP = `
CPU is of one processor: 150% is one and a half. MEMORY is of the agent with all its workers.

Examples:
  b8sctl top nodes --sort-by cpu`;

const SORT_KEYS = ['requests', '4xx', '5xx', 'bytes', 'p99', 'name', 'cpu', 'memory'] as const;
type SortKey = (typeof SORT_KEYS)[number];

function sortOption(usual: SortKey): Option {
  return new Option('--sort-by <column>', 'the greatest first').choices(SORT_KEYS).default(usual);
}

const WATCH_MS = 2_000;

async function show(
  { node = '', watch }: TopOptions,
  cli: Cli,
  table: (summary: TrafficSummary) => string,
): Promise<void> {
  const api = await cli.api();
  for (;;) {
    const text = table(await api.traffic(node));
    if (text === '') cli.terminal.error('Nothing was asked for in the last minute\n');
    else cli.terminal.out(text);
    if (watch !== true) return;
    await cli.clock.sleep(WATCH_MS, cli.signal);
    cli.terminal.out(cli.terminal.outIsTerminal ? CLEAR : '\n');
  }
}

/** To the top left, and away with what is there. */
const CLEAR = '\u001b[H\u001b[J';

const RATE_HEADERS = ['REQ/S', '2XX', '3XX', '4XX', '5XX', 'BYTES/S', 'P50', 'P99'] as const;

interface Shown {
  readonly sortBy: SortKey;
  readonly fit: Pick<TableOptions, 'columns'>;
}

function siteTable(
  { sites }: TrafficSummary,
  { namespace, sortBy, fit }: { readonly namespace: string } & Shown,
): string {
  const rows = sites
    .filter((each) => namespace === '' || each.namespace === namespace)
    .toSorted(by(sortBy, (site) => site.name))
    .map((site) => [
      ...(namespace === '' ? [site.namespace] : []),
      ...[site.name, ...rateCells(site.rates), String(site.nodes)],
    ]);
  const first = namespace === '' ? ['NAMESPACE', 'SITE'] : ['SITE'];
  return rows.length === 0
    ? ''
    : renderTable(rows, { header: [...first, ...RATE_HEADERS, 'NODES'], ...fit });
}

function nodeTable({ nodes }: TrafficSummary, { sortBy, fit }: Shown): string {
  const rows = nodes
    .toSorted(by(sortBy, ({ node }) => node))
    .map(({ node, rates, cpu, rssBytes, connections }) => [
      node,
      cpu === undefined ? NONE : `${Math.round(100 * cpu)}%`,
      rssBytes === 0n ? NONE : formatBytes(Number(rssBytes)),
      ...[String(connections), ...rateCells(rates)],
    ]);
  const header = ['NODE', 'CPU', 'MEMORY', 'CONNECTIONS', ...RATE_HEADERS];
  return rows.length === 0 ? '' : renderTable(rows, { header, ...fit });
}

type Row = { readonly rates?: TrafficRates | undefined } & Partial<
  Pick<NodeTrafficRates, 'cpu' | 'rssBytes'> & Pick<SiteTrafficRates, 'nodes'>
>;

/** The greatest first, and those that are alike by name. */
function by<Each extends Row>(
  key: SortKey,
  nameOf: (each: Each) => string,
): (one: Each, other: Each) => number {
  return (one, other) => {
    const order = key === 'name' ? 0 : sizeOf(other, key) - sizeOf(one, key);
    return order || (nameOf(one) < nameOf(other) ? -1 : 1);
  };
}

function sizeOf({ rates, cpu = 0, rssBytes = 0n }: Row, key: Exclude<SortKey, 'name'>): number {
  switch (key) {
    case 'requests':
      return rates?.requests ?? 0;
    case '4xx':
      return rates?.clientErrors ?? 0;
    case '5xx':
      return rates?.serverErrors ?? 0;
    case 'bytes':
      return rates?.bytes ?? 0;
    case 'p99':
      // Infinities would be no order.
      return Math.min(rates?.p99Ms ?? 0, Number.MAX_SAFE_INTEGER);
    case 'cpu':
      return cpu;
    case 'memory':
      return Number(rssBytes);
  }
}

function rateCells(rates: TrafficRates | undefined): readonly string[] {
  if (rates === undefined) return RATE_HEADERS.map(() => NONE);
  const { requests, succeeded, redirects, clientErrors, serverErrors, bytes } = rates;
  const counts = [requests, succeeded, redirects, clientErrors, serverErrors].map(rateText);
  return [
    ...counts,
    formatBytes(Math.round(bytes)),
    boundText(rates.p50Ms),
    boundText(rates.p99Ms),
  ];
}

/** "0", "0.03", "4.2", "1234" */
function rateText(rate: number): string {
  if (rate === 0) return '0';
  if (rate < 0.1) return rate.toFixed(2);
  return rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}

/** Of a histogram only bounds are known. */
function boundText(ms: number): string {
  if (ms === 0) return NONE;
  if (ms === Number.POSITIVE_INFINITY) return '>10s';
  return ms < 1000 ? `<${ms}ms` : `<${ms / 1000}s`;
}
