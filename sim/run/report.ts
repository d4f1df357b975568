import { RARE_PATHS } from '../check/sometimes.ts';
import type { Outcome } from './outcome.ts';
import type { Setting } from './setting.ts';

/** What many runs came to. */
export class Report {
  readonly failed: { readonly setting: Setting; readonly outcome: Outcome }[] = [];
  readonly #reached = new Map<string, number>();
  #runs = 0;
  #steps = 0;
  #virtualMs = 0;

  add(setting: Setting, outcome: Outcome): void {
    this.#runs += 1;
    this.#virtualMs += outcome.virtualMs;
    if (outcome.kind === 'failed') {
      this.failed.push({ setting, outcome });
      return;
    }
    this.#steps += outcome.steps;
    for (const path of outcome.reached) this.#reached.set(path, (this.#reached.get(path) ?? 0) + 1);
  }

  /** Rare paths that no run has reached. */
  get unreached(): readonly string[] {
    return RARE_PATHS.filter((path) => !this.#reached.has(path));
  }

  rarePaths(): string {
    const width = Math.max(...RARE_PATHS.map((path) => path.length));
    const rows = RARE_PATHS.map(
      (path) => `  ${path.padEnd(width)}  ${this.#reached.get(path) ?? 'NEVER'}`,
    );
    return ['rare paths, and how many runs reached them:', ...rows].join('\n');
  }

  summary(tookS: number): string {
    const rate = (count: number): string => (count / tookS).toFixed(count / tookS < 10 ? 1 : 0);
    const hours = (this.#virtualMs / 3_600_000).toFixed(1);
    const seeds = this.failed.map(({ setting }) => setting.seed).toSorted((a, b) => a - b);
    return (
      `${this.#runs} runs, ${hours} virtual hours in ${tookS.toFixed(1)} s: ${rate(this.#runs)} runs, ` +
      `${rate(this.#virtualMs / 1000)} virtual seconds and ${rate(this.#steps)} events per second; ` +
      (seeds.length === 0 ? 'all hold' : `${seeds.length} fail: ${seeds.join(' ')}`)
    );
  }
}
