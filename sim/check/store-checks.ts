import type { Check, CheckPorts } from './check.ts';
import { fencesCheck } from './fences.ts';
import { historiesCheck } from './histories.ts';
import { StoreHistory } from './store-history.ts';
import { watchesCheck } from './watches.ts';

/** All that is checked of the store, and of what processes see of it. */
export function storeChecks(ports: CheckPorts): readonly Check[] {
  const history = new StoreHistory();
  return [
    // First: the others look up in it what has just happened.
    { stored: (event) => history.learn(event) },
    watchesCheck(ports, history),
    historiesCheck(ports, history),
    fencesCheck(ports, history),
  ];
}
