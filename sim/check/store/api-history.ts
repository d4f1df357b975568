import type { Check, CheckPorts } from '../check.ts';
import { checkLinearizable, type Operation, type SequentialObject } from './linearizable.ts';

/** What somebody wrote through the API, or saw there; `spec` undefined: no such object. */
export interface ApiAction {
  readonly kind: 'write' | 'read';
  readonly spec: object | undefined;
}

export interface ApiOperation extends Operation<ApiAction> {
  /** Which object: "Site/default/blog". */
  readonly object: string;
  /** Who: "user-1". */
  readonly user: string;
}

/**
 * INV-8 and INV-9: all that users did and saw, together, could have come of one true state that
 * each call met at one moment. Controllers write no spec of these objects.
 */
export function apiHistoryCheck({
  violated,
  reached,
}: Pick<CheckPorts, 'violated' | 'reached'>): Check {
  const histories = new Map<string, ApiOperation[]>();
  return {
    operated(operation) {
      const history = histories.get(operation.object) ?? [];
      if (history.length === 0) histories.set(operation.object, history);
      history.push(operation);
    },
    settled() {
      for (const [object, history] of histories) {
        const verdict = checkLinearizable(DECLARED, history);
        if (new Set(history.map(({ user }) => user)).size > 1) reached('object of several people');
        if (verdict.kind === 'unknown') violated(9, `what became of ${object} cannot be judged`);
        if (verdict.kind !== 'impossible') continue;
        const [stuck] = verdict.stuck;
        const { action, user } = stuck as ApiOperation;
        const spec = JSON.stringify(action.spec) ?? 'nothing';
        violated(
          9,
          `no order of the calls explains that ${user} ${action.kind}s ${spec} of ${object}`,
        );
      }
    },
  };
}

const DECLARED: SequentialObject<{ readonly spec: object | undefined }, ApiAction> = {
  initial: { spec: undefined },
  apply: (state, { kind, spec }) =>
    kind === 'write' ? { spec } : contains(spec, state.spec) ? state : undefined,
  keyOf: ({ spec }) => JSON.stringify(spec) ?? '',
};

/** Whether everything that was wished is there, among defaults that nobody asked for. */
export function contains(actual: unknown, wished: unknown): boolean {
  if (typeof wished !== 'object' || wished === null) return Object.is(actual, wished);
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(wished).every(([field, each]) =>
    contains((actual as Record<string, unknown>)[field], each),
  );
}
