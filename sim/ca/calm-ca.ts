import { CALM } from '../../runtime/acme/fake/weather.ts';
import type { CaSetting } from './ca-setting.ts';

/** A CA of a story, whose certificates last: nothing befalls it but what the story does. */
export const CALM_CA: CaSetting = {
  lifeMs: 90 * 24 * 60 * 60_000,
  hasRenewalInfo: true,
  keepsOrderList: true,
  reusesOrders: false,
  authorizationReuse: 0,
  validationMsMax: 0,
  finalizeMsMax: 500,
  accounts: 'bound',
  weather: { ...CALM, retryAfterMsMax: 5_000 },
  outages: 0,
  whims: 0,
  operations: 0,
  limitsAre: 'unknown',
};
