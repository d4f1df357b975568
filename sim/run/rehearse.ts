import { InvariantError } from '../check/checks.ts';
import { guarded } from '../engine/guard.ts';
import type { TraceLine } from '../engine/trace.ts';
import { loadOlder } from '../skew/older.ts';
import { type Setting, settingArgs } from './setting.ts';
import { type RunResult, World } from './world.ts';

/** How a run went. `message`: ends with the command that replays it. */
export type Rehearsal =
  | { readonly kind: 'held'; readonly result: RunResult; readonly lines: readonly TraceLine[] }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly virtualMs: number;
      readonly lines: readonly TraceLine[];
    };

export interface RehearseOptions {
  readonly keep: 'lines' | 'hash';
  readonly geo: Uint8Array | undefined;
  /** Tells of rejections that nobody handled; returns what ends that. */
  readonly onUnhandled: (note: (reason: unknown) => void) => () => void;
}

/** Runs a world; a rejection that nobody handles would have ended a real process. */
export async function rehearse(setting: Setting, options: RehearseOptions): Promise<Rehearsal> {
  const { keep, geo, onUnhandled } = options;
  const replay = `make sim ${settingArgs(setting)}`;
  const older = setting.older === undefined ? undefined : await loadOlder(setting.older);
  const world = new World(setting, { keep, geo, replay, older });
  const unhandled: unknown[] = [];
  const stop = onUnhandled((reason) => unhandled.push(reason));
  try {
    const result = await guarded(() => world.run());
    if (unhandled.length === 0) return { kind: 'held', result, lines: world.lines() };
    const [first] = unhandled;
    const stack = first instanceof Error ? first.stack : String(first);
    const message = `INV-4: nobody handles ${stack}; replay: ${replay}`;
    return failed(world, message);
  } catch (error) {
    return failed(world, toldOf(error, replay));
  } finally {
    stop();
  }
}

/** What ended a run; where no check has said it, with the place in the code, and the command. */
function toldOf(error: unknown, replay: string): string {
  if (error instanceof InvariantError) return error.message;
  if (!(error instanceof Error)) return `${String(error)}; replay: ${replay}`;
  const { message, stack = message } = error;
  return `${message.startsWith('INV-') ? message : stack}; replay: ${replay}`;
}

/** What no check has seen is told at the end. */
function failed(world: World, message: string): Rehearsal {
  if (!world.lines().some(({ kind }) => kind === 'violation')) world.trace.violated(message);
  return { kind: 'failed', message, virtualMs: world.nowMs, lines: world.lines() };
}
