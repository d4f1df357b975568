import type { Cluster } from '../cluster/cluster.ts';
import { TYPE_A } from '../load/dns-client.ts';
import type { Check, CheckPorts } from './check.ts';
import { replyOf } from './dns/exchange.ts';

interface RarePath {
  readonly path: string;
  /** What the production code says there. */
  readonly message: RegExp;
  /** And what a field of it says there; left out: anything. */
  readonly field?: readonly [name: string, text: RegExp];
}

const ALONE = /^no session with dom; serving from disk$/;
const USELESS = /^an edge to fetch from is of no use$/;
const UNFETCHED = /^a blob could not be fetched$/;
const ENDED = /^session ended$/;

const LOGGED: readonly RarePath[] = [
  { path: 'relist after compaction', message: /^mirror: watch expired, listing again$/ },
  { path: 'mirror retries the store', message: /^mirror: reading the store failed$/ },
  { path: 'leader deposed', message: /^no longer leading$/ },
  { path: 'campaign retried', message: /^campaign failed; trying again$/ },
  { path: 'furnishing retried', message: /^furnishing failed; trying again$/ },
  { path: 'reconcile retried', message: /^reconcile failed$/ },
  { path: 'delta refused for a snapshot', message: /^a plan cannot be built upon what is held$/ },
  { path: 'restored backup noticed', message: /was a backup restored\?$/ },
  { path: 'stale plan ignored', message: /^ignoring a plan of the past$/ },
  { path: 'blob fetch retried', message: UNFETCHED },
  { path: 'blob that stalls given up', message: UNFETCHED, field: ['error', /not a byte within/] },
  { path: 'blob with wrong bytes', message: UNFETCHED, field: ['error', /got \d+ bytes of/] },
  { path: 'blobs from an edge', message: /^an edge is fetched from$/ },
  {
    path: 'several blobs of an edge by one question',
    message: /^an edge is fetched from$/,
    field: ['asked', /^for several$/],
  },
  { path: 'edge that has some of them', message: /^an edge has not all of it yet$/ },
  { path: 'edge with wrong bytes left', message: USELESS, field: ['why', /wrong bytes/] },
  { path: 'edge that broke off left', message: USELESS, field: ['why', /the stream broke/] },
  { path: 'edge that is silent left', message: USELESS, field: ['why', /within \d+ ms/] },
  { path: 'edge with nothing new left', message: USELESS, field: ['why', /nothing new/] },
  { path: 'dom after useless edges', message: /^no edge to fetch from is left: dom sends$/ },
  { path: 'part longer than its blob', message: UNFETCHED, field: ['error', /ends before byte/] },
  { path: 'serving without dom', message: ALONE },
  { path: 'dial refused', message: ALONE, field: ['error', /connection refused$/] },
  { path: 'dial given up', message: ALONE, field: ['error', /^dial dom: no answer/] },
  { path: 'silent dom given up', message: ALONE, field: ['error', /^dom has been silent/] },
  { path: 'plan waited for in vain', message: ALONE, field: ['error', /^no plan came/] },
  { path: 'session overtaken', message: ALONE, field: ['error', /^a newer session of this node/] },
  { path: 'silent node given up', message: ENDED, field: ['reason', /silent for too long$/] },
  { path: 'removed node refused', message: /^dom refuses this node$/ },
  { path: 'node joined again', message: /^node joined$/, field: ['how', /^joined again$/] },
  { path: 'rotten blob found', message: /^a blob is damaged and is fetched again$/ },
  { path: 'release no longer verified', message: /^a verified release lacks a blob$/ },
  { path: 'content retried on a bad disk', message: /^content could not be reconciled$/ },
  { path: 'served but not written down', message: /^what is served could not be written down$/ },
];

/** Paths that are reached by what happens, and told by whoever sees it. */
const HAPPENED = [
  'account with another key',
  'alias answered',
  'another dom took over',
  'asked for a password',
  'batch switched',
  'Retry-After of a 429 obeyed',
  'belongings of a namesake collected',
  'certificate revoked on request',
  'closed until there are passwords',
  'commit rolled back',
  'commit superseded',
  'compressed answer',
  'cookie of another nameserver',
  'dom clears a blob away',
  'fence renewed after a write in doubt',
  'fenced write refused',
  'garbage collected',
  'impossible site at rest',
  'drift corrected',
  'finalizer done',
  'last known good answer',
  'let in by a password',
  'list at a compacted revision',
  'node drained',
  'node served a deleted site on',
  'object of several people',
  'order at another CA',
  'nonce refused',
  'order found whose answer was lost',
  'order over a limit of the CA',
  'order taken on by another process',
  'overdue while the CA is away',
  'proof removed by another process',
  'preview answered',
  'preview ended',
  'process ended by its disk',
  'redirected by its release',
  'refused by a rate limit of the CA',
  'renewal that the CA wanted',
  'renewal window replaced',
  'resumed blob',
  'rolling rollout done',
  'rollout undone',
  'signed answer',
  'signed denial',
  'two doms believe they lead',
  'uncertain commit took effect',
  'uncertain commit took effect after its answer',
  'watch resumed after its stream broke',
  'wrong password refused',
] as const;

/** Each must be reached by some seed of a batch; otherwise the world is kinder than it looks. */
export const RARE_PATHS: readonly string[] = [
  ...LOGGED.map(({ path }) => path),
  ...HAPPENED,
].toSorted();

/** Notes the rare paths that a run reaches. */
export function sometimesCheck({ reached }: CheckPorts, cluster: Cluster): Check {
  return {
    storeReplaced: () => undefined,
    logged(_host, { message, fields }) {
      for (const rare of LOGGED) {
        if (!rare.message.test(message)) continue;
        const [name, text] = rare.field ?? [];
        if (name === undefined || text?.test(String(fields[name]))) reached(rare.path);
      }
    },
    asked(exchange) {
      const { nameserver, type } = exchange;
      const health = cluster.sub(nameserver)?.running?.health ?? {};
      const reply = type === TYPE_A ? replyOf(exchange) : undefined;
      if (reply === undefined) return;
      const named = reply.addresses.map(
        (address) => cluster.subs.find((sub) => sub.address === address)?.host.name ?? '',
      );
      if (named.length > 0 && named.every((name) => health[name] === false))
        reached('last known good answer');
    },
    committed() {
      const leaders = cluster.runningDoms().filter(({ dom }) => dom.leads).length;
      if (leaders > 1) reached('two doms believe they lead');
    },
  };
}
