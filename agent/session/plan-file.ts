import { createHash } from 'node:crypto';
import type { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { decodePlan, encodePlan } from '../../runtime/session/plan-wire.ts';
import { SortedMap } from '../../runtime/store/sorted-map.ts';
import { applyTaken, comparePositions, type HeldPlan } from './plan-state.ts';

/**
 * A plan on this node's disk: records of which the first is a snapshot as dom would send it, and each
 * other one what dom changed since. A record is its length (4 bytes, little endian), a Plan, and the
 * Plan's SHA-256. So a change in a plan of a million records is written without the million. Private
 * keys are in it (INV-33), which is why the disk keeps all files for their owner only.
 */
export interface PlanFile {
  /**
   * Undefined: there is none, or it is damaged or of a version that this one cannot read, which is
   * logged; the node then starts afresh.
   */
  load(): Promise<HeldPlan | undefined>;
  /**
   * Durable when it resolves. `taken`: the plan that led to `held`. Throws when the disk is full or
   * fails; the file then still holds what it held, or what it was to hold.
   */
  save(held: HeldPlan, taken?: Plan): Promise<void>;
}

/** The plan that dom gave, whether or not all of it is served yet. */
export const HELD_PLAN_PATH = 'plan.bin';
/** What of it, and of earlier plans, is served. */
export const SERVED_PLAN_PATH = 'served.bin';

/** What the file holds; changes may be added until they are as long as the snapshot. */
interface Stored {
  readonly position: Position;
  readonly snapshotBytes: number;
  readonly changesBytes: number;
}

export function planFile(disk: Disk, path: string, log: Log): PlanFile {
  /** Undefined: the file must be written as a whole. */
  let stored: Stored | undefined;

  async function saveWhole(held: HeldPlan): Promise<void> {
    const bytes = record(snapshotOf(held));
    await disk.write(path, bytes);
    stored = { position: held.position, snapshotBytes: bytes.length, changesBytes: 0 };
  }

  return {
    async load() {
      const bytes = await disk.read(path);
      if (bytes === undefined) return undefined;
      const read = tryDecode(bytes);
      if (typeof read === 'string') {
        log.warn(
          { path, why: read },
          'cannot read the plan file: nothing is held until dom sends it',
        );
        return undefined;
      }
      // The last write may have been interrupted before it was durable.
      if (read.stored === undefined || read.stored.changesBytes > 0) await disk.sync(path);
      stored = read.stored;
      return read.held;
    },
    async save(held, taken) {
      const before = stored;
      // Until it is done nobody knows what is behind the records.
      stored = undefined;
      if (before === undefined || taken?.base === undefined) return saveWhole(held);
      const added = record({ ...taken, digest: '', heartbeatIntervalMs: 0 });
      const changesBytes = before.changesBytes + added.length;
      const isNext = comparePositions(taken.base, before.position) === 0;
      if (!isNext || changesBytes > before.snapshotBytes) return saveWhole(held);
      await disk.append(path, added);
      await disk.sync(path);
      stored = { ...before, position: held.position, changesBytes };
    },
  };
}

const LENGTH_BYTES = 4;
const HASH_BYTES = 32;

function snapshotOf({ position, objects }: HeldPlan): Plan {
  const upserts = [...objects.values()];
  const fixed = { base: undefined, removals: [], digest: '', heartbeatIntervalMs: 0 };
  return { ...fixed, position, upserts };
}

function record(plan: Plan): Uint8Array {
  const body = encodePlan(plan);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body, sha256(body)]);
}

/** `stored` is undefined where something else follows the records. */
function tryDecode(bytes: Uint8Array): NonNullable<ReturnType<typeof decode>> | string {
  try {
    return decode(bytes) ?? 'it is damaged, or another version wrote it';
  } catch (error) {
    // It is whole, so a later version wrote it: one that was put back must come up all the same.
    return `another version wrote it: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function decode(
  bytes: Uint8Array,
): { readonly held: HeldPlan; readonly stored: Stored | undefined } | undefined {
  const { bodies, restBytes, isDamaged } = split(bytes);
  if (isDamaged && bodies.length > 0) return undefined;
  const [first = beforeRecords(bytes), ...changes] = bodies;
  if (first === undefined) return undefined;
  const { position, upserts } = decodePlan(first);
  if (position === undefined) return undefined;
  const objects = SortedMap.from(upserts.map((object) => [object.key, object] as const));
  const snapshot: HeldPlan = { position, objects, digestCheck: 'agreed' };
  const held = applyTaken(snapshot, changes.map(decodePlan));
  if (held === undefined) return undefined;
  if (restBytes > 0) return { held, stored: undefined };
  const snapshotBytes = LENGTH_BYTES + first.length + HASH_BYTES;
  const changesBytes = bytes.length - snapshotBytes;
  return { held, stored: { position: held.position, snapshotBytes, changesBytes } };
}

/**
 * The records, up to one that is not whole. As the last one it was being written when the machine
 * went down, so nobody has acted upon it; with more behind it, it is damage.
 */
function split(bytes: Uint8Array): {
  readonly bodies: readonly Uint8Array[];
  readonly restBytes: number;
  readonly isDamaged: boolean;
} {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodies: Uint8Array[] = [];
  let at = 0;
  let isDamaged = false;
  while (at + LENGTH_BYTES + HASH_BYTES <= view.length) {
    const start = at + LENGTH_BYTES;
    const end = start + view.readUInt32LE(at);
    const body = view.subarray(start, end);
    if (!sha256(body).equals(view.subarray(end, end + HASH_BYTES))) {
      isDamaged = view.length > end + HASH_BYTES;
      break;
    }
    bodies.push(body);
    at = end + HASH_BYTES;
  }
  return { bodies, restBytes: view.length - at, isDamaged };
}

/** As versions up to 0.1 wrote it: a snapshot without its length. */
function beforeRecords(bytes: Uint8Array): Uint8Array | undefined {
  const body = bytes.subarray(0, Math.max(0, bytes.length - HASH_BYTES));
  return sha256(body).equals(bytes.subarray(body.length)) ? body : undefined;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
