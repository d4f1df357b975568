import { createHash } from 'node:crypto';
import { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { planDigest } from '../../runtime/plan-digest.ts';
import type { HeldPlan } from './plan-state.ts';

/**
 * A plan on this node's disk: a snapshot as dom would send it, and its SHA-256 behind it. Private
 * keys are in it (INV-33), which is why the disk keeps all files for their owner only.
 */
export interface PlanFile {
  /** Undefined: there is none, or it is damaged, which is logged; the node then starts afresh. */
  load(): Promise<HeldPlan | undefined>;
  /** Durable when it resolves. Throws when the disk is full or fails. */
  save(held: HeldPlan): Promise<void>;
}

/** The plan that dom gave, whether or not all of it is served yet. */
export const HELD_PLAN_PATH = 'plan.bin';
/** What of it, and of earlier plans, is served. */
export const SERVED_PLAN_PATH = 'served.bin';

export function planFile(disk: Disk, path: string, log: Log): PlanFile {
  return {
    async load() {
      const bytes = await disk.read(path);
      if (bytes === undefined) return undefined;
      const held = decode(bytes);
      if (held === undefined) log.warn({ path }, 'ignoring a damaged plan file');
      return held;
    },
    save: (held) => disk.write(path, encode(held)),
  };
}

const TRAILER_BYTES = 32;

function encode({ position, objects }: HeldPlan): Uint8Array {
  const upserts = [...objects.values()];
  const snapshot = { position, base: undefined, upserts, removals: [], heartbeatIntervalMs: 0 };
  const bytes = Plan.encode({ ...snapshot, digest: planDigest(objects) }).finish();
  return Buffer.concat([bytes, sha256(bytes)]);
}

function decode(bytes: Uint8Array): HeldPlan | undefined {
  const body = bytes.subarray(0, Math.max(0, bytes.length - TRAILER_BYTES));
  if (!sha256(body).equals(bytes.subarray(body.length))) return undefined;
  const { position, upserts } = Plan.decode(body);
  if (position === undefined) return undefined;
  const objects = new Map(upserts.map((object) => [object.key, object]));
  return { position, objects, digestCheck: 'agreed' };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
