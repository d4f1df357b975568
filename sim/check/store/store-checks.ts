import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';
import { conditionalCheck } from './conditional.ts';
import { fencesCheck } from './fences.ts';
import { historiesCheck } from './histories.ts';
import { type MirrorsPorts, mirrorsCheck } from './mirrors.ts';
import { watchesCheck } from './watches.ts';

/** All that is checked of the store, and of what processes see of it. */
export function storeChecks(
  ports: CheckPorts & MirrorsPorts,
  history: StoreHistory,
): readonly Check[] {
  return [
    watchesCheck(ports, history),
    historiesCheck(ports, history),
    fencesCheck(ports, history),
    mirrorsCheck(ports, history),
    conditionalCheck(ports),
  ];
}
