import type { SeededRandom } from '../engine/random.ts';
import { maybe, seldom } from '../faults/maybe.ts';

/** The Git remote of a world until the faults stop, and who follows it. Plain data. */
export interface GitSetting {
  /** Repositories of one remote, each with a folder of its own; 1 or 2. */
  readonly followers: 1 | 2;
  /** A tag is moved with each push, as people do who call it `live`. */
  readonly follows: 'branch' | 'tag';
  readonly intervalMs: number;
  /** Longer than the run: only a newer commit ends the wait for one that is never Ready. */
  readonly timeoutMs: number;
  readonly onFailure: 'rollback' | 'keep';
  readonly driftPolicy: 'correct' | 'report';
  /** What the committer does, and others to what the repository declares. */
  readonly operations: number;
  readonly weather: GitWeather;
  /** Times when nobody reaches it. */
  readonly outages: number;
}

/** Shares of calls, 0 to 1. */
export interface GitWeather {
  readonly unreachable: number;
  /** It has no refs for a moment, as after it was made anew and not yet pushed to. */
  readonly empty: number;
  /** The fetch breaks off, at once or while files are read. */
  readonly truncated: number;
  /** A file cannot be read, and others of the same commit can: stories alone have that. */
  readonly unreadable: number;
  readonly slow: number;
  readonly slowMsMax: number;
}

export const CALM_GIT_WEATHER: GitWeather = {
  ...{ unreachable: 0, empty: 0, truncated: 0, unreadable: 0, slow: 0, slowMsMax: 0 },
};

const SHARE = 0.16;
const OPERATIONS_MAX = 9;
const FAULT_MAX = 0.2;

/** Undefined: nobody follows Git, as in most worlds. */
export function drawGit(random: SeededRandom): GitSetting | undefined {
  if (!random.chance(SHARE)) return undefined;
  const isPatient = random.chance(0.25);
  return {
    followers: random.chance(0.5) ? 2 : 1,
    follows: random.chance(0.7) ? 'branch' : 'tag',
    intervalMs: random.integer(10, 15) * 1_000,
    timeoutMs: isPatient ? 1_800_000 : random.integer(12, 25) * 1_000,
    onFailure: isPatient || random.chance(0.25) ? 'keep' : 'rollback',
    driftPolicy: random.chance(0.8) ? 'correct' : 'report',
    operations: random.integer(2, OPERATIONS_MAX),
    weather: {
      unreachable: seldom(random, FAULT_MAX),
      empty: seldom(random, FAULT_MAX),
      truncated: seldom(random, FAULT_MAX),
      unreadable: 0,
      slow: maybe(random, FAULT_MAX),
      slowMsMax: random.pick([500, 5_000, 30_000]),
    },
    outages: Math.ceil(maybe(random, 3)),
  };
}

/** The same remote, which is always there, fast, and gives all that it has. */
export function calmGit(setting: GitSetting): GitSetting {
  return { ...setting, weather: CALM_GIT_WEATHER, outages: 0 };
}

/** Whether anything of its weather can befall anybody. */
export function isStormyGit({ outages, weather }: GitSetting): boolean {
  const { unreachable, empty, truncated, slow } = weather;
  return [outages, unreachable, empty, truncated, slow].some((each) => each > 0);
}

/** A remote of a story: nothing befalls it but what the story does. */
export const CALM_GIT: GitSetting = {
  ...{ followers: 1, follows: 'branch', intervalMs: 10_000, timeoutMs: 20_000 },
  ...{ onFailure: 'rollback', driftPolicy: 'correct', operations: 0, outages: 0 },
  weather: CALM_GIT_WEATHER,
};
