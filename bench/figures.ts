import { readFileSync } from 'node:fs';

/** The value below which `share` (0 to 1) of the samples lie; 0 where there are none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** `12,345`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** `p50 12 ms, p99 34 ms`. */
export function spread(samplesMs: readonly number[]): string {
  const [half, most] = [0.5, 0.99].map((share) => percentile(samplesMs, share).toFixed(0));
  return `p50 ${half} ms, p99 ${most} ms`;
}

/** What the kernel says of a process: CPU time since its start, and resident memory. Linux only. */
export function processUsage(pid: number): {
  readonly cpuMs: number;
  readonly rssMb: number;
  /** The most that was ever resident. */
  readonly peakMb: number;
} {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { cpuMs: ticks * MS_PER_TICK, rssMb: rssKb / 1024, peakMb: peakKb / 1024 };
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;
