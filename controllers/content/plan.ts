import type { Certificate } from '../../api/certificate.ts';
import type { SiteStatus } from '../../api/site.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/control/conditions.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { AccessRecord } from '../../runtime/store/records.ts';
import { type PreviewFacts, planPreviews, previewsReady } from './previews.ts';
import type { RolloutFacts } from './progress.ts';
import {
  certificateReady,
  dnsConfigured,
  dnsReady,
  type HostOnDns,
  passwordsReady,
  ready,
  released,
  rulesRead,
} from './readiness.ts';
import { planRollout } from './rollout.ts';
import { routingResolved } from './routing.ts';
import { standingStatus } from './standing.ts';

export interface SiteFacts extends RolloutFacts {
  /** The Certificate of the Site's name. */
  readonly certificate: Certificate | undefined;
  /** Left out: the Site has no previews. */
  readonly previews?: PreviewsOfSite | undefined;
  /** Of the Site's passwords; left out: none are hashed yet. */
  readonly access?: AccessRecord | undefined;
  /** Connected edges that are not told of the Site, for their sub is too old; left out: none. */
  readonly tooOld?: readonly NodeView[];
  /** In the order of spec.hosts. */
  readonly hosts: readonly HostOnDns[];
  /** Every node with that role, connected or not. */
  readonly nameservers: readonly NodeView[];
}

export interface PreviewsOfSite extends Pick<PreviewFacts, 'releases' | 'certificate'> {
  /** The wildcard that stands for all of them. */
  readonly host: HostOnDns;
}

export interface SitePlan {
  readonly status: SiteStatus;
  /** When the decision could change with no further event; Infinity if it cannot. */
  readonly recheckInMs: number;
}

/** Decides what a Site is served from, and says how far that is so. */
export function planSite(facts: SiteFacts, nowMs: number): SitePlan {
  const { site, edges, certificate, hosts } = facts;
  const { rollout, condition, recheckInMs, ...standing } = planRollout(facts, nowMs);
  const connected = edges.filter((edge) => edge.connected);
  const isReleased = released(site, standing, connected);
  const dns = dnsReady(hosts, facts.nameservers);
  const passwords = passwordsReady(site, facts.access, facts.tooOld);
  const parts: readonly ConditionInput[] = [
    condition,
    certificateReady(site, certificate, connected),
    isReleased,
    ...(passwords === undefined ? [] : [passwords]),
    ...(dns === undefined ? [] : [dns]),
  ];
  const { previews } = facts;
  const shown = previews === undefined ? [] : planPreviews({ ...previews, site, edges });
  const previewsDns = dnsReady(previews === undefined ? [] : [previews.host], facts.nameservers);
  const arePreviewsReady =
    previews === undefined
      ? undefined
      : previewsReady({ ...previews, site, edges, dns: previewsDns }, shown);
  const elsewhere = dnsConfigured(
    previews === undefined ? hosts : [...hosts, previews.host],
    edges,
  );
  const routing = routingResolved(site, edges);
  const rules = rulesRead(site, connected);
  const inputs = [
    ready(parts, isReleased.message),
    ...parts,
    ...(elsewhere === undefined ? [] : [elsewhere]),
    ...(routing === undefined ? [] : [routing]),
    ...(rules === undefined ? [] : [rules]),
    ...(arePreviewsReady === undefined ? [] : [arePreviewsReady]),
  ];
  const observedGeneration = site.metadata.generation;
  const conditions = replaceConditions(
    site.status?.conditions ?? [],
    inputs.map((input) => ({ ...input, observedGeneration })),
    nowMs,
  );
  const status = {
    observedGeneration,
    conditions,
    ...standingStatus(standing),
    ...(rollout === undefined ? {} : { rollout }),
    ...(certificate === undefined ? {} : { certificate: certificate.metadata.name }),
    ...(shown.length > 0 && { previews: shown }),
    ...dnsOf(hosts),
  };
  return { status, recheckInMs };
}

function dnsOf(hosts: readonly HostOnDns[]): Pick<SiteStatus, 'dns'> {
  const zones = new Set(hosts.flatMap(({ zone }) => zone ?? []));
  if (zones.size === 0) return {};
  const candidates = new Set(hosts.flatMap((host) => host.candidates));
  return { dns: { zones: [...zones].toSorted(), candidates: [...candidates].toSorted() } };
}
