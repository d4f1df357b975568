import type { Event } from '../../api/event.ts';

/** How long an Event is kept after it last happened. */
export const EVENT_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Decides when an Event goes: in that many milliseconds; zero: now. */
export function removeInMs(event: Event, nowMs: number): number {
  const lastMs = Date.parse(event.spec.lastTime);
  // A time that nobody can read would keep the Event for good.
  if (Number.isNaN(lastMs)) return 0;
  // A clock that was ahead when it happened must not keep it for longer.
  return Math.max(0, Math.min(EVENT_KEPT_MS, lastMs + EVENT_KEPT_MS - nowMs));
}
