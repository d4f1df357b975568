import { type Plan, SessionResponse } from '../../../proto/gen/b8s/v1/agent.ts';
import type { SentFrame } from '../check.ts';

/** Field 1, length-delimited: how a frame with a plan begins. */
const PLAN_TAG = 0x0a;

/** Reads the plans that dom sends. One plan goes to many nodes, in the same bytes: it is read once. */
export class PlanFrames {
  readonly #plans = new WeakMap<Uint8Array, Plan>();

  /** Undefined: the frame is something else. */
  of({ from, bytes }: SentFrame): Plan | undefined {
    if (from !== 'dom' || bytes[0] !== PLAN_TAG) return undefined;
    const known = this.#plans.get(bytes);
    if (known !== undefined) return known;
    const { message } = SessionResponse.decode(bytes);
    if (message?.$case !== 'plan') return undefined;
    this.#plans.set(bytes, message.value);
    return message.value;
  }
}
