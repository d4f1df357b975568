import { aimNamed } from '../aims/all.ts';
import { type CaSetting, drawCa } from '../ca/ca-setting.ts';
import { type SeededRandom, seededRandom } from '../engine/random.ts';
import type { CrashPoint } from '../faults/crash-point.ts';
import { CALM, drawFaults, type Faults } from '../faults/faults.ts';
import { drawGit, type GitSetting } from '../git/git-setting.ts';
import type { LineKind } from '../load/line.ts';
import { isSameWeather, onlyWeather, weatherKinds } from './weather.ts';

/** All that makes a run what it is. Plain data: a run can be made smaller by hand. */
export interface Setting {
  readonly seed: number;
  readonly profile: Profile;
  readonly doms: number;
  readonly subs: number;
  /** People who change things at the same time, each their own. */
  readonly users: number;
  /** Changes that each of them makes. */
  readonly operations: number;
  /**
   * Operations that are left out, as `user.operation`, `ca.operation` or `git.operation`, and machines, by
   * name: what is drawn for the others stays.
   */
  readonly leftOut: readonly string[];
  /** Resolvers and browsers. */
  readonly clients: number;
  /** How long faults happen. */
  readonly stormMs: number;
  readonly faults: Faults;
  /** What Sites ask for; left out: `plain`. */
  readonly sites?: SiteStyle;
  /** How people reach dom; left out: `perfect`. */
  readonly line?: LineKind;
  /** People who all change one and the same object; left out: nobody does. */
  readonly contenders?: number;
  /** An ACME CA, and what it is like; undefined: there is none. */
  readonly ca?: CaSetting | undefined;
  /** A Git remote, and who follows it; undefined: nobody does. */
  readonly git?: GitSetting | undefined;
  /** A crash at one place, besides the faults. */
  readonly crash?: CrashPoint | undefined;
  /** What happens instead of what people do: a name of `sim/aims/`. */
  readonly aim?: string | undefined;
  /** A folder with another version of the production code, which hosts run at times. */
  readonly older?: string | undefined;
}

/**
 * `short`: a few nodes and changes, for many seeds. `full`: up to 30 nodes. `long`: a few nodes, and
 * up to half an hour of faults.
 */
export const PROFILES = ['short', 'full', 'long'] as const;
export type Profile = (typeof PROFILES)[number];

/** `elaborate`: they guard some pages, note requests, and their releases bring rules. */
export const SITE_STYLES = ['plain', 'elaborate'] as const;
export type SiteStyle = (typeof SITE_STYLES)[number];
const ELABORATE_SHARE = 0.25;
const POOR_LINE_SHARE = 0.2;
const CONTENDED_SHARE = 0.15;

const SIZES: Readonly<Record<Profile, readonly number[]>> = {
  short: [1, 2, 3, 3, 3, 4, 5],
  full: [1, 2, 3, 3, 3, 4, 5, 6, 8, 10, 15, 20, 30],
  long: [1, 2, 3, 3, 3, 4, 5],
};
const STORM_MS: Readonly<Record<Profile, { readonly min: number; readonly max: number }>> = {
  short: { min: 15_000, max: 60_000 },
  full: { min: 30_000, max: 120_000 },
  long: { min: 300_000, max: 1_800_000 },
};
const OPERATIONS_MAX: Readonly<Record<Profile, number>> = { short: 6, full: 12, long: 60 };

/** Each seed draws its own world: small ones reach deeper, large ones wider. */
export function drawSetting(seed: number, profile: Profile): Setting {
  const random = seededRandom(`setting ${profile} ${seed}`);
  const { min, max } = STORM_MS[profile];
  const ca = profile === 'long' ? undefined : drawCa(random.fork('ca'));
  return {
    seed,
    profile,
    doms: random.pick([1, 1, 2, 3]),
    subs: random.pick(SIZES[profile]),
    users: random.integer(1, 2),
    operations: random.integer(1, OPERATIONS_MAX[profile]),
    leftOut: [],
    clients: random.integer(2, 5),
    stormMs: random.integer(min, max),
    faults: drawFaults(random.fork('faults')),
    sites: random.fork('sites').chance(ELABORATE_SHARE) ? 'elaborate' : 'plain',
    line: random.fork('line').chance(POOR_LINE_SHARE) ? 'poor' : 'perfect',
    contenders: drawContenders(random.fork('contenders')),
    ca,
    git: profile === 'long' || ca !== undefined ? undefined : drawGit(random.fork('remote')),
  };
}

function drawContenders(random: SeededRandom): number {
  return random.chance(CONTENDED_SHARE) ? random.integer(2, 4) : 0;
}

/** A calm world in which that story is told. */
export function aimedSetting(seed: number, aim: string): Setting {
  const { subs, sites = 'plain', ca, git } = aimNamed(aim);
  const common = { seed, profile: 'short', subs, sites, aim, faults: CALM } as const;
  return {
    ...common,
    doms: 1,
    users: 1,
    operations: 0,
    leftOut: [],
    clients: 3,
    stormMs: 1,
    ca,
    git,
  };
}

/** What may be changed of a setting that a seed draws. Left out: as drawn. */
export interface Changes {
  /** Kinds of faults that stay, or groups of them; none: the empty list. */
  readonly faults?: readonly string[] | undefined;
  readonly doms?: number | undefined;
  readonly subs?: number | undefined;
  readonly users?: number | undefined;
  readonly operations?: number | undefined;
  readonly clients?: number | undefined;
  readonly stormMs?: number | undefined;
  readonly leftOut?: readonly string[] | undefined;
  readonly sites?: SiteStyle | undefined;
  readonly line?: LineKind | undefined;
  readonly contenders?: number | undefined;
  /** 0: without the ACME CA that the seed draws. */
  readonly ca?: 0 | undefined;
  /** 0: without the Git remote that the seed draws. */
  readonly git?: 0 | undefined;
  readonly crash?: CrashPoint | undefined;
  readonly older?: string | undefined;
}

const NUMBERS = [
  'doms',
  'subs',
  'users',
  'operations',
  'clients',
  'stormMs',
  'contenders',
] as const;

/** Throws a RangeError for faults that there are not. */
export function changeSetting(setting: Setting, changes: Changes): Setting {
  const { faults, ca, git, ...others } = changes;
  const changed = Object.entries(others).filter(([, value]) => value !== undefined);
  const whole: Setting = {
    ...setting,
    ...Object.fromEntries(changed),
    ...(ca === 0 && { ca: undefined }),
    ...(git === 0 && { git: undefined }),
    // Old versions know no ACME, follow no Git, and ask for no passwords.
    ...(changes.older !== undefined && { ca: undefined, git: undefined, sites: 'plain' }),
  };
  return faults === undefined ? whole : { ...whole, ...onlyWeather(whole, faults) };
}

/** The arguments of `make sim` that give this setting again. */
export function settingArgs(setting: Setting): string {
  const { seed, aim } = setting;
  const drawn = aim === undefined ? drawSetting(seed, setting.profile) : aimedSetting(seed, aim);
  const args = [`SEED=${seed}`];
  if (aim !== undefined) args.push(`AIM=${aim}`);
  else if (setting.profile !== 'full') args.push(`PROFILE=${setting.profile}`);
  args.push(...outsideArgs(setting, drawn));
  // The weather of what is not there is nobody's.
  const there = { ...drawn, ca: setting.ca && drawn.ca, git: setting.git && drawn.git };
  if (!isSameWeather(setting, there))
    args.push(`FAULTS=${weatherKinds(setting).join(',') || 'none'}`);
  for (const name of NUMBERS)
    if (setting[name] !== drawn[name]) args.push(`${variableOf(name)}=${setting[name]}`);
  if (setting.crash !== undefined)
    args.push(`CRASH_AT=${setting.crash.effect}`, `LAG_MS=${setting.crash.lagMs}`);
  if (setting.older !== undefined) args.push(`OLDER=${setting.older.split('/').at(-1)}`);
  if (setting.leftOut.length > 0) args.push(`LEFT_OUT=${setting.leftOut.join(',')}`);
  return args.join(' ');
}

/** What is drawn and has been taken away; an older version goes without anyhow. */
function outsideArgs({ older, ca, git, sites, line }: Setting, drawn: Setting): readonly string[] {
  if (older !== undefined) return [];
  return [
    ...(ca === undefined && drawn.ca !== undefined ? ['CA=0'] : []),
    ...(git === undefined && drawn.git !== undefined ? ['GIT=0'] : []),
    ...(sites === drawn.sites || sites === undefined ? [] : [`SITES=${sites}`]),
    ...(line === drawn.line || line === undefined ? [] : [`LINE=${line}`]),
  ];
}

/** `stormMs` → `STORM_MS`. */
function variableOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
