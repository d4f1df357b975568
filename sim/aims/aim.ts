import { INTERNAL_ISSUER } from '../../api/issuer.ts';
import type { CaSetting } from '../ca/ca-setting.ts';
import type { SimulatedCa } from '../ca/simulated-ca.ts';
import { pending } from '../check/convergence.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import { CALM, type Faults } from '../faults/faults.ts';
import type { GitSetting } from '../git/git-setting.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask, browsePage } from '../load/clients.ts';
import type { CommitterHand } from '../load/committer.ts';
import { applyZone, createSite, FIRST_ZONE, type Hand, join } from '../load/operations.ts';
import { CLIENTS } from '../load/places.ts';
import { hostOf } from '../load/wish.ts';
import type { SiteStyle } from '../run/setting.ts';

/** What a story is told with. */
export interface Stage {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly hand: Hand;
}

/**
 * A run that aims at one pattern which random ones seldom meet: the world is calm but for what the
 * story does to it, and all checks watch as ever. Once the story is told and the weather is calm
 * again, everything must be as wished.
 */
export interface Aim {
  /** What goes wrong there, and must do no harm. */
  readonly story: string;
  readonly subs: number;
  /** What Sites ask for; left out: `plain`. */
  readonly sites?: SiteStyle;
  /** An ACME CA; left out: none. */
  readonly ca?: CaSetting;
  /** A Git remote; left out: none. */
  readonly git?: GitSetting;
  readonly run: (stage: Stage) => Promise<void>;
}

/** The site of the story. */
export const SITE = 'blog';
const LOOK_MS = 100;
/**
 * A commit of Git takes a dozen steps that wait for one another, and a dom that sees each of them 8 s
 * late (`sim/run/crash-points.ts`) goes on taking them: 95 s were seen.
 */
const WAIT_MS_MAX = 180_000;

/** The CA that the story has asked for. */
export function caOf({ cluster: { ca } }: Stage): SimulatedCa {
  if (ca === undefined) throw new Error('this story needs a CA');
  return ca;
}

/** What somebody does who pushes to the Git remote that the story has asked for. */
export function committerOf({ cluster, hand }: Stage): CommitterHand {
  const { git } = cluster;
  if (git === undefined) throw new Error('this story needs a Git remote');
  const { user, random, clock } = hand;
  return { cluster, git, user, random, clock };
}

/** Each dom dies, and is started at once. */
export function restartDoms({ cluster }: Stage): void {
  for (const dom of cluster.doms) {
    cluster.crashDom(dom);
    cluster.startDom(dom);
  }
}

/** All machines are nodes, and serve a site in a zone; all is as wished. */
export async function settleDown(stage: Stage): Promise<void> {
  const { cluster, hand } = stage;
  await Promise.all(cluster.machines.map((machine) => join(hand, machine)));
  await applyZone(hand, FIRST_ZONE);
  // What other Issuers there are, and what becomes of them, is the story's.
  await createSite(hand, SITE, { issuer: INTERNAL_ISSUER });
  await allIsWell(stage);
}

export async function allIsWell({ cluster, scheduler }: Stage): Promise<void> {
  let waits: readonly string[] = [];
  const isWell = async (): Promise<boolean> => {
    waits = await pending(cluster, EPOCH_MS + scheduler.nowMs);
    return waits.length === 0;
  };
  await until(scheduler, () => `all to be well: ${waits.join('; ')}`, isWell);
}

/** Throws when it does not come about within three minutes. */
export async function until(
  scheduler: Scheduler,
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const untilMs = scheduler.nowMs + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (scheduler.nowMs >= untilMs)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await scheduler.sleep(LOOK_MS);
  }
}

/** From now on these faults happen, and no others. */
export function weather({ cluster }: Stage, faults: Partial<Faults>): void {
  cluster.faults = { ...CALM, ...faults };
}

/** Some time passes, in which people ask this node for the site, and every nameserver for its name. */
export async function lived({ cluster, scheduler }: Stage, at: Sub, ms: number): Promise<void> {
  const [client = ''] = CLIENTS;
  const [host, untilMs] = [hostOf(SITE), scheduler.nowMs + ms];
  do {
    const nowMs = EPOCH_MS + scheduler.nowMs;
    await browsePage(cluster, at, { host, path: '/', namedBy: undefined });
    for (const nameserver of cluster.subs) ask(cluster, { nameserver, client, nowMs, name: host });
    await scheduler.sleep(LOOK_MS);
  } while (scheduler.nowMs < untilMs);
}
