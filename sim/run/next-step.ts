import type { Zone } from '../../api/zone.ts';
import type { Clock } from '../../runtime/clock.ts';
import { kindPrefix, recordKey } from '../../runtime/store/keys.ts';
import type { Store } from '../../runtime/store/store.ts';

export interface NextStepFacts {
  readonly store: Pick<Store, 'list'>;
  /** Of each machine that dom runs on: any may lead, and no two agree. */
  readonly clocks: readonly Pick<Clock, 'nowMs'>[];
}

/**
 * In how many milliseconds a dom is to take a step that it has said the time of; Infinity: none.
 * Keys of a zone take over hours after they were made, which after a leap of a clock may be at any
 * moment: until then the world is as wished, but not at rest.
 */
export async function nextStepInMs({ store, clocks }: NextStepFacts): Promise<number> {
  const { items } = await store.list(kindPrefix('Zone'));
  const leftMs = items.flatMap(({ value }) => {
    const time = (JSON.parse(value) as Zone).status?.dnssec?.nextStepTime;
    return time === undefined ? [] : clocks.map((clock) => Date.parse(time) - clock.nowMs());
  });
  // What is late waits for dom to look, which a timer that no clock can set does.
  return leftMs.filter((each) => each > 0).reduce((one, other) => Math.min(one, other), Infinity);
}

/**
 * Whether a commit removes what has expired, and does nothing else: dom looks for that every ten
 * minutes, also while all is at rest. Keys as `Cluster.commits` has them.
 */
export function isSweep(keys: readonly string[]): boolean {
  return keys.length > 0 && keys.every((key) => key.startsWith(`-${recordKey('token', '')}`));
}
