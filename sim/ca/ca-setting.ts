import type { FakeAcmeWeather } from '../../runtime/acme/fake/weather.ts';
import type { AcmeLimit, AcmeLimits } from '../../runtime/acme/limits.ts';
import type { SeededRandom } from '../engine/random.ts';
import { maybe, seldom } from '../faults/maybe.ts';

/** What the ACME CA of a world is like until the faults stop. Plain data. */
export interface CaSetting {
  /** Its certificates are good for so long: they are renewed while the run lasts. */
  readonly lifeMs: number;
  readonly hasRenewalInfo: boolean;
  readonly keepsOrderList: boolean;
  readonly reusesOrders: boolean;
  /** A share, 0 to 1. */
  readonly authorizationReuse: number;
  readonly validationMsMax: number;
  readonly finalizeMsMax: number;
  /** `bound`: it wants accounts that exist elsewhere. */
  readonly accounts: 'open' | 'bound';
  readonly weather: FakeAcmeWeather;
  /** Times when nobody reaches it. */
  readonly outages: number;
  /** Times when it revokes something, or wants something renewed. */
  readonly whims: number;
  /** Changes that people make to Issuers and Certificates. */
  readonly operations: number;
  /** What it gives no more of, as Let's Encrypt does, in smaller numbers; undefined: no bounds. */
  readonly limits?: AcmeLimits | undefined;
  /** `published`: dom counts by them, and is never refused; else it has to hear of them. */
  readonly limitsAre: 'published' | 'unknown';
}

/** In so many worlds there is one. */
const SHARE = 0.12;
const OPERATIONS_MAX = 6;

/** Undefined: certificates come from b8s's own CA alone, as they do in most worlds. */
export function drawCa(random: SeededRandom): CaSetting | undefined {
  if (!random.chance(SHARE)) return undefined;
  return {
    lifeMs: random.integer(90, 200) * 1_000,
    hasRenewalInfo: random.chance(0.7),
    keepsOrderList: random.chance(0.7),
    reusesOrders: random.chance(0.5),
    authorizationReuse: random.pick([0, 0, 0.5, 1]),
    validationMsMax: random.pick([0, 500, 5_000]),
    finalizeMsMax: random.pick([0, 500, 5_000]),
    accounts: random.chance(0.3) ? 'bound' : 'open',
    weather: drawWeather(random.fork('weather')),
    outages: Math.ceil(maybe(random, 3)),
    whims: Math.ceil(maybe(random, 4)),
    operations: random.integer(1, OPERATIONS_MAX),
    limits: random.chance(0.5) ? drawLimits(random.fork('limits')) : undefined,
    limitsAre: random.chance(0.6) ? 'published' : 'unknown',
  };
}

/** The same CA, to which nothing happens: it is always there, fast, and does what it is asked. */
export function calmCa(setting: CaSetting): CaSetting {
  const weather = { ...setting.weather, faults: {}, flaws: {}, slowMsMax: 0 };
  return { ...setting, weather, outages: 0, whims: 0 };
}

/** Whether anything of its weather can befall anybody. */
export function isStormyCa({ outages, whims, weather }: CaSetting): boolean {
  const { faults, flaws, slowMsMax } = weather;
  const shares = [...Object.values(faults), ...Object.values(flaws)];
  return [outages, whims, slowMsMax, ...shares].some((each) => each > 0);
}

/** So few that a run reaches them, and refilled so soon that it comes to an end. */
function drawLimits(random: SeededRandom): AcmeLimits {
  const limit = (least: number, most: number, refillS: number): AcmeLimit => ({
    capacity: random.integer(least, most),
    refillMs: random.integer(refillS, 2 * refillS) * 1_000,
  });
  return {
    accounts: limit(5, 10, 20),
    orders: limit(4, 15, 20),
    certificatesPerDomain: limit(3, 12, 30),
    certificatesPerSet: limit(2, 5, 60),
    failedValidations: limit(2, 5, 30),
    failedInARow: limit(20, 40, 30),
  };
}

function drawWeather(random: SeededRandom): FakeAcmeWeather {
  const most = 0.1;
  return {
    faults: {
      unreachable: seldom(random, most),
      lost: maybe(random, most),
      serverError: seldom(random, most),
      rateLimited: seldom(random, most),
      badNonce: seldom(random, most),
      nonsense: seldom(random, most),
      wrongNames: seldom(random, most),
      hangs: seldom(random, most / 4),
    },
    flaws: {
      wrongNames: seldom(random, most),
      otherKey: seldom(random, most),
      expired: seldom(random, most),
      notYetValid: seldom(random, most),
      brokenChain: seldom(random, most),
    },
    slowMsMax: random.pick([50, 50, 500, 3_000]),
    retryAfterMsMax: random.pick([20_000, 120_000]),
  };
}
