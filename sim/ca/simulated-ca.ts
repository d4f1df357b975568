import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';
import { createFakeAcmeCa, type FakeAcmeCa } from '../../runtime/acme/fake/ca.ts';
import { fakeAcme } from '../../runtime/acme/fake/fake-acme.ts';
import type { ValidateProof } from '../../runtime/acme/fake/proof.ts';
import type {
  FakeAcmeRequests,
  FakeAcmeSettings,
  FakeAcmeStep,
} from '../../runtime/acme/fake/state.ts';
import { CALM } from '../../runtime/acme/fake/weather.ts';
import type { KnownAcmeLimits } from '../../runtime/acme/limits.ts';
import type { Checks } from '../check/checks.ts';
import type { Sky } from '../check/tls/renewals.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { type AskingProcess, isChanging, refusalOf, requestOf } from './ca-request.ts';
import type { CaSetting } from './ca-setting.ts';

export const DIRECTORY = 'https://ca.test/directory';
/** Of the CA that is asked when the first one fails. */
export const SECOND_DIRECTORY = 'https://second.test/directory';
/** What an account elsewhere is called, where the CA wants one. */
export const EXTERNAL_KEY_ID = 'customer-7';

export interface SimulatedCaPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly checks: Checks;
  readonly validate: ValidateProof;
}

/** CAs date certificates back by so much. */
const BACKDATE_MS = 60 * 60_000;
/** So that nothing is due while the world rests. */
const LASTING_MS = 90 * 24 * 60 * 60_000;
const HOURS_6_MS = 6 * 60 * 60_000;
const ASKED_AGAIN_MS = 60_000;

/** The CAs on the Internet of a world: one with weather of its own, and a second one. */
export class SimulatedCa {
  readonly setting: CaSetting;
  readonly first: FakeAcmeCa;
  readonly second: FakeAcmeCa;
  /** A secret. */
  readonly macKey: string;
  isReachable = true;
  /** What it says of renewals that its weather is as it is; see `sim/check/tls/renewals.ts`. */
  sky: Sky | undefined;
  /** What it looked for and did not find: of which name, and why. */
  readonly burnt: { readonly name: string; readonly why: string }[] = [];
  readonly #ports: SimulatedCaPorts;
  readonly #told = new Set<string>();

  constructor(ports: SimulatedCaPorts, setting: CaSetting) {
    const { random, scheduler } = ports;
    const validate: ValidateProof = async (proof) => {
      const why = await ports.validate(proof);
      if (why !== undefined) this.burnt.push({ name: proof.name, why });
      return why;
    };
    this.#ports = ports;
    this.setting = setting;
    this.macKey = Buffer.from(random.fork('mac key').bytes(32)).toString('base64url');
    const settings = settingsOf(setting, this.macKey);
    const clock = scheduler.clock();
    const own = random.fork('first');
    this.first = createFakeAcmeCa({
      ...{ clock, random: own, validate, directory: DIRECTORY, settings },
    });
    this.first.setWeather(setting.weather);
    const { externalAccounts: _, ...common } = settings;
    this.second = createFakeAcmeCa({
      ...{ clock, random: random.fork('second'), validate, directory: SECOND_DIRECTORY },
      settings: common,
    });
  }

  /** What dom knows of what it may ask for. */
  get acmeLimits(): KnownAcmeLimits {
    const { limits, limitsAre } = this.setting;
    if (limits === undefined || limitsAre === 'unknown') return {};
    return { [DIRECTORY]: limits, [SECOND_DIRECTORY]: limits };
  }

  /** What one process of dom holds. */
  acme(by: AskingProcess, random: SeededRandom): Acme {
    const { checks } = this.#ports;
    const cas = [this.first, this.second].map((ca) => ({
      directory: ca.directory,
      requests: this.#overheard(by, ca),
    }));
    const isReachable = (directory: string): boolean =>
      this.sky?.kind !== 'away' && (this.isReachable || directory !== DIRECTORY);
    const acme = fakeAcme({ random, cas, isReachable });
    return {
      ...acme,
      makeKey: async (type) => {
        const pem = await acme.makeKey(type);
        checks.confided({ kind: 'key', pem, names: ['a certificate or an account'] });
        return pem;
      },
    };
  }

  /** From now on all goes well there; certificates are as short as ever. */
  clearUp(): void {
    this.isReachable = true;
    for (const ca of [this.first, this.second]) ca.setWeather(CALM);
  }

  /** From now on renewals are to be in time, or nobody reaches any CA. */
  expect(kind: Sky['kind']): void {
    const { lifeMs } = this.setting;
    this.sky = { kind, lifeMs, sinceMs: this.#ports.scheduler.nowMs };
  }

  /** From now on all goes well, and what it issues lasts; what does not is to be renewed. */
  calmDown(): void {
    this.clearUp();
    this.sky = undefined;
    const nowMs = this.#ports.scheduler.clock().nowMs();
    for (const ca of [this.first, this.second]) {
      ca.set({ lifetimeMs: LASTING_MS, renewalRetryAfterMs: HOURS_6_MS, validationMsMax: 0 });
      for (const { serialNumber } of ca.certificates)
        ca.suggestRenewal(serialNumber, { startMs: nowMs - 1, endMs: nowMs });
    }
  }

  #overheard(by: AskingProcess, ca: FakeAcmeCa): FakeAcmeRequests {
    const { trace, checks } = this.#ports;
    const { host } = by;
    const name = new URL(ca.directory).hostname;
    const heard = async (
      step: FakeAcmeStep,
      args: readonly unknown[],
      call: () => Promise<unknown>,
    ): Promise<unknown> => {
      trace.learns('ca', trace.known(host));
      const request = requestOf(by, ca.directory, { step, args });
      checks.askedCa(request);
      try {
        const answer = await call();
        this.#tell(ca, 'answered');
        trace.add('ca', `${name} answers ${step} of ${host}`, { kind: 'decides' });
        if (isChanging(step)) by.onEffect(`${step} at ${name}`);
        return answer;
      } catch (error) {
        this.#tell(ca, 'lost');
        trace.add('ca', `${name} fails ${step} of ${host}: ${String(error)}`, { kind: 'fault' });
        if (error instanceof AcmeProblem) checks.refusedByCa(request, refusalOf(error));
        throw error;
      } finally {
        trace.learns(host, trace.known('ca'));
      }
    };
    return new Proxy(ca.requests, {
      get: (requests, step: FakeAcmeStep) => {
        const member: unknown = Reflect.get(requests, step);
        if (typeof member !== 'function') return member;
        return (...args: readonly unknown[]): Promise<unknown> =>
          heard(step, args, async () => (await Reflect.apply(member, requests, args)) as unknown);
      },
    });
  }

  /** Of each order once. */
  #tell({ directory, orders }: FakeAcmeCa, answer: 'answered' | 'lost'): void {
    for (const { url, names } of orders) {
      if (this.#told.has(url)) continue;
      this.#told.add(url);
      this.#ports.checks.ordered({ directory, url, names, answer });
    }
  }
}

function settingsOf(setting: CaSetting, macKey: string): Partial<FakeAcmeSettings> {
  const { lifeMs, hasRenewalInfo, keepsOrderList, reusesOrders, accounts } = setting;
  const { authorizationReuse, validationMsMax, finalizeMsMax, limits } = setting;
  return {
    ...{ hasRenewalInfo, keepsOrderList, reusesOrders },
    ...{ authorizationReuse, validationMsMax, finalizeMsMax, limits },
    lifetimeMs: BACKDATE_MS + lifeMs,
    renewalRetryAfterMs: lifeMs >= LASTING_MS ? HOURS_6_MS : ASKED_AGAIN_MS,
    externalAccounts: accounts === 'bound' ? { [EXTERNAL_KEY_ID]: macKey } : undefined,
  };
}
