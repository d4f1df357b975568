import { parseDurationMs } from '../../api/duration.ts';
import type { Site } from '../../api/site.ts';
import { ROLLOUT_DEFAULTS } from '../../api/site-rollout.ts';
import { releaseOn } from '../../runtime/content/site-releases.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { SiteTraffic } from '../../runtime/traffic/site-traffic.ts';
import { illnessOf } from './health.ts';
import {
  type Answers,
  NO_ANSWERS,
  type Sighting,
  type Verdict,
  type Watched,
  watchBatch,
} from './watch.ts';

/** All that one look at a rollout needs. */
export interface Seen {
  readonly site: Site;
  readonly edges: readonly NodeView[];
  readonly unreachable: ReadonlySet<string>;
}

/** What was seen of the rollouts that are under way, by Site. */
export class Watches {
  readonly #traffic: SiteTraffic;
  readonly #watched = new Map<string, Watched>();

  constructor(traffic: SiteTraffic) {
    this.#traffic = traffic;
  }

  /** One look. `nowMs` is monotonic. Undefined: nobody was switched to what the Site is to serve. */
  look(seen: Seen, nowMs: number): Verdict | undefined {
    const { uid } = seen.site.metadata;
    const sighting = sightingOf(seen, this.#traffic);
    if (sighting === undefined) {
      this.#watched.delete(uid);
      return undefined;
    }
    const { observe, errorPercent } = seen.site.spec.rollout ?? ROLLOUT_DEFAULTS;
    const rules = { observeMs: parseDurationMs(observe) ?? 0, errorPercent };
    const { watched, verdict } = watchBatch(this.#watched.get(uid), sighting, { rules, nowMs });
    this.#watched.set(uid, watched);
    return verdict;
  }

  /** These Sites are there; of others nothing is kept. */
  keep(uids: ReadonlySet<string>): void {
    for (const uid of [...this.#watched.keys()]) if (!uids.has(uid)) this.#watched.delete(uid);
  }
}

function sightingOf(seen: Seen, traffic: SiteTraffic): Sighting | undefined {
  const { site, edges } = seen;
  const { rollout, ahead = [] } = site.status ?? {};
  const group = ahead.find(({ release }) => release === site.spec.content?.release);
  const isHeld = site.spec.rollout?.paused === true || rollout?.phase !== 'rolling';
  if (group === undefined || isHeld) return undefined;
  const switched = edges.filter(({ name }) => group.nodes.includes(name));
  const others = edges.filter(({ name }) => !group.nodes.includes(name));
  const illsOf = (nodes: readonly NodeView[]): readonly string[] =>
    nodes.flatMap((edge) => illnessOf(edge, seen) ?? []);
  const ills = illsOf(switched);
  const share = (count: number, nodes: readonly NodeView[]): number =>
    count / Math.max(1, nodes.length);
  const isCommon = share(ills.length, switched) <= share(illsOf(others).length, others);
  const answers = (nodes: readonly NodeView[]): Answers => answersOf(seen, nodes, traffic);
  return {
    rollout: `${rollout.release} ${rollout.startedAt}`,
    batch: `${group.nodes.join(' ')}/${rollout.request ?? ''}`,
    ...{ ills, isCommon, switched: answers(switched), others: answers(others) },
  };
}

/** Each node's from the release that it is told to serve. */
function answersOf({ site }: Seen, nodes: readonly NodeView[], traffic: SiteTraffic): Answers {
  const { uid } = site.metadata;
  return nodes.reduce(({ requests, errors }, { name }) => {
    const release = releaseOn(site.status, name)?.release ?? '';
    const of = traffic.answered({ node: name, uid, release });
    return { requests: requests + of.requests, errors: errors + of.serverErrors };
  }, NO_ANSWERS);
}
