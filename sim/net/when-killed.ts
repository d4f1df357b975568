import type { Process } from '../engine/process.ts';

/** What the operating system does when a process is gone. Returns what calls it off. */
export function whenKilled({ signal }: Process, action: () => void): () => void {
  signal.addEventListener('abort', action, { once: true });
  return () => signal.removeEventListener('abort', action);
}
