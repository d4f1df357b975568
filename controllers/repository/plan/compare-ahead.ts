import type { Repository } from '../../../api/repository.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { World } from '../../../runtime/store/world.ts';
import { type CommitSet, managerOf } from '../facts.ts';
import { liveOf, ofRepository } from '../gather.ts';
import { restsBetween } from '../rests.ts';
import type { Comparisons } from './comparisons.ts';

interface AheadPorts {
  readonly world: World;
  readonly clock: Clock;
  readonly comparisons: Comparisons;
}

/**
 * Compares what is kept of a Repository with what is there and with what a commit declares, with turns
 * for others in between. What is decided after it, in one go, then finds it compared already, but for
 * what has changed meanwhile.
 */
export async function compareAhead(
  { world, clock, comparisons }: AheadPorts,
  repository: Repository,
  set: CommitSet | undefined,
): Promise<void> {
  const inventory = ofRepository(world.records('repositoryObject'), repository.metadata.uid);
  const manager = managerOf(repository);
  const rest = restsBetween(clock);
  for (const [key, { value }] of inventory) {
    const startMs = clock.monotonicMs();
    comparisons.drift({ key, declared: value.object, manager }, liveOf(world, key));
    await rest(startMs);
  }
  for (const { key, object } of set?.desired ?? []) {
    const kept = inventory.get(key)?.value.object;
    if (kept === undefined) continue;
    const startMs = clock.monotonicMs();
    comparisons.same(kept, object);
    await rest(startMs);
  }
}
