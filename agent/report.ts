import { previewDigits } from '../api/previews.ts';
import type {
  ConditionReport,
  DnsLimited,
  NodeLoad,
  PeerReport,
  Report,
  SiteReport,
  ZoneReport,
} from '../proto/gen/b8s/v1/agent.ts';
import type { Position, SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { type Digest, isDigest } from '../runtime/content/digest.ts';
import { coversHost } from '../runtime/tls/certificate-names.ts';
import { inWords, isDiskFull } from './content/disk-full.ts';
import type { ContentState } from './content/state.ts';
import { sumOfLimits } from './dns/limit/limit.ts';
import type { AppliedReport, Health, WorkerState } from './plane/plane.ts';
import type { PlanObjects } from './session/plan-objects.ts';
import { NOTHING_SERVED, type Served } from './snapshot.ts';

export interface ReportInput {
  /** What the data plane was given last; undefined: nothing yet. */
  readonly applied:
    | {
        readonly position: Position;
        readonly plan: PlanObjects;
        readonly served: Served;
        readonly outcome: AppliedReport;
      }
    | undefined;
  readonly content: ContentState;
  readonly health: Health;
  /** Why the newest plan could not be kept or applied; undefined: it could. */
  readonly trouble: string | undefined;
  readonly rssBytes: number;
}

/**
 * Tokens in one report, which dom keeps as one value. With more than that many proofs at once the
 * others are told of when the first ones are done.
 */
const CHALLENGES_MAX = 5000;

/** What dom is told: only what is so, whole, in a stated order. */
export function buildReport(input: ReportInput): Report {
  const { applied, health, rssBytes } = input;
  return {
    applied: applied?.position,
    sites: withinWarnings(applied?.plan.sites.map((site) => siteReport(site, input)) ?? []),
    zones: applied?.outcome.zones.map(zoneReport) ?? [],
    peers: Object.keys(health)
      .toSorted()
      .map((node) => peerReport(node, health)),
    conditions: conditions(input),
    rssBytes: BigInt(Math.round(rssBytes)),
    geo: applied?.outcome.databases ?? [],
    challenges: [...new Set(applied?.outcome.challenges)].toSorted().slice(0, CHALLENGES_MAX),
  };
}

/** What all workers have held back together; undefined: none limits its answers. */
export function dnsLimited(workers: readonly WorkerState[]): DnsLimited | undefined {
  const sum = workers.map(({ limited }) => limited).reduce(sumOfLimits, undefined);
  if (sum === undefined) return undefined;
  const { dropped, cut, spared } = sum;
  return { dropped: BigInt(dropped), cut: BigInt(cut), spared: BigInt(spared) };
}

/** What this process takes of its machine. */
export function nodeLoad(
  workers: readonly WorkerState[],
  { cpuS, rssBytes }: { readonly cpuS: number; readonly rssBytes: number },
): NodeLoad {
  const connections = workers.reduce((sum, each) => sum + (each.connections ?? 0), 0);
  return { cpuS, rssBytes: BigInt(rssBytes), connections };
}

function siteReport(site: SitePlan, input: ReportInput): SiteReport {
  const { applied, content } = input;
  const { uid, namespace, name, generation } = site;
  const state = applied?.outcome.sites.find((each) => each.uid === uid);
  const serving = state?.release ?? '';
  const releases = new Set([...site.prepare, site.serving, serving].filter(isDigest));
  const errorOf = (release: Digest): string | undefined => content.errors.get(release);
  const error = [...releases].map(errorOf).find(isText);
  // Told apart: a rollout is not to be blamed for it.
  const others = site.previews.map(({ release }) => release).filter(isDigest);
  const previewError = others.map(errorOf).find(isText);
  return {
    ...{ uid, namespace, name, generation, serving },
    verified: [...releases].filter((release) => content.verified.has(release)).toSorted(),
    certificate: applied?.served.certificates.get(uid)?.fingerprint ?? '',
    error: state?.problem ?? error ?? '',
    warning: state?.warning ?? '',
    previews: previewsShown(site, input),
    previewError: previewError?.slice(0, PREVIEW_ERROR_MAX) ?? '',
  };
}

/** Characters: dom keeps a report as one value. */
const PREVIEW_ERROR_MAX = 120;

/** The digits of those that are loaded and have a certificate. */
function previewsShown({ uid, previews }: SitePlan, { applied }: ReportInput): readonly string[] {
  const { certificates, previewCertificates } = applied?.served ?? NOTHING_SERVED;
  const names = [certificates, previewCertificates].flatMap((each) => each.get(uid)?.names ?? []);
  const loaded = applied?.outcome.sites.find((each) => each.uid === uid)?.previews ?? [];
  return previews
    .filter(({ host }) => names.some((name) => coversHost(name, host)))
    .filter(({ release }) => loaded.some((each) => each === release))
    .map(({ release }) => previewDigits(release))
    .toSorted();
}

/** Characters of all warnings in one report; those of further sites have to wait. */
const WARNINGS_LENGTH_MAX = 50_000;

function withinWarnings(sites: readonly SiteReport[]): readonly SiteReport[] {
  let left = WARNINGS_LENGTH_MAX;
  return sites.map((site) => {
    left -= site.warning.length;
    return left >= 0 ? site : { ...site, warning: '' };
  });
}

function zoneReport(outcome: AppliedReport['zones'][number]): ZoneReport {
  const { uid, name, serial = 0, keyTags = [], error = '' } = outcome;
  return { uid, name, serial, error, keyTags };
}

function peerReport(node: string, health: Health): PeerReport {
  return { node, reachable: health[node] ?? true };
}

function conditions({ applied, content, trouble }: ReportInput): readonly ConditionReport[] {
  const problems = applied?.outcome.problems ?? [];
  const inUse = new Set<string>(applied?.outcome.databases);
  const missing = (applied?.plan.geo?.databases ?? [])
    .map(({ digest }) => digest)
    .filter(isDigest)
    .filter((digest) => !inUse.has(digest));
  const whyMissing = missing.map((digest) => content.errors.get(digest) ?? 'it is being fetched');
  // Said only while it is so: what is served goes on being served.
  const full = [...content.errors.values(), trouble].find(
    (each) => each !== undefined && isDiskFull(each),
  );
  return [
    condition({ type: 'GeographyReady', reason: 'DatabaseMissing', trouble: whyMissing[0] }),
    condition({
      ...{ type: 'PlanApplied', reason: 'ApplyFailed' },
      trouble: trouble && inWords(trouble),
    }),
    condition({ type: 'Serving', reason: 'PlaneProblem', trouble: problems[0] }),
    ...(full === undefined
      ? []
      : [condition({ type: 'DiskRoom', reason: 'DiskFull', trouble: inWords(full) })]),
  ];
}

/** True without trouble; `reason` is the one for false. */
function condition(given: {
  readonly type: string;
  readonly reason: string;
  readonly trouble: string | undefined;
}): ConditionReport {
  const { type, reason, trouble } = given;
  if (trouble === undefined) return { type, status: true, reason: 'AsPlanned', message: '' };
  return { type, status: false, reason, message: trouble };
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
