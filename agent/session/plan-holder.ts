import type { Hello, Plan } from '../../proto/gen/b8s/v1/agent.ts';
import type { Log } from '../../runtime/log.ts';
import { rememberedPlanDigest } from '../../runtime/session/plan-digest.ts';
import type { PlanFile } from './plan-file.ts';
import { applyPlan, type HeldPlan, positionText } from './plan-state.ts';

/**
 * The plan that this node holds, in memory and on disk.
 *
 * Guarantees: what `held` gives is on disk; it never goes back (INV-14).
 */
export class PlanHolder {
  readonly #file: PlanFile;
  readonly #log: Log;
  readonly #digestOf = rememberedPlanDigest();
  #held: HeldPlan | undefined;
  /** A delta did not add up: let dom send everything again. */
  #wants: 'delta' | 'snapshot' = 'delta';

  constructor(file: PlanFile, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  get held(): HeldPlan | undefined {
    return this.#held;
  }

  async load(): Promise<void> {
    this.#held = await this.#file.load();
  }

  /** What a hello says of it. */
  hello(): Pick<Hello, 'held' | 'heldDigest'> {
    if (this.#held === undefined) return { held: undefined, heldDigest: '' };
    // Without a digest dom sends a snapshot; the position still tells it above what to be.
    const isKnown = this.#wants === 'delta';
    return {
      held: this.#held.position,
      heldDigest: isKnown ? this.#digestOf(this.#held.objects) : '',
    };
  }

  /** Makes the plan durable, then holds it. Throws when the disk fails: nothing has changed then. */
  async take(plan: Plan): Promise<'new' | 'nothing new' | 'gap'> {
    const verdict = applyPlan(this.#held, plan, this.#digestOf);
    switch (verdict.kind) {
      case 'stale':
        this.#log.warn({ why: verdict.why }, 'ignoring a plan of the past');
        return 'nothing new';
      case 'gap':
        this.#log.warn({ why: verdict.why }, 'a plan cannot be built upon what is held');
        if (verdict.cause === 'mismatch') this.#wants = 'snapshot';
        return 'gap';
      case 'applied':
        this.#wants = 'delta';
        if (verdict.held === this.#held) return 'nothing new';
        await this.#file.save(verdict.held, plan);
        this.#held = verdict.held;
        this.#log.info(
          { plan: positionText(verdict.held.position), objects: verdict.held.objects.size },
          'a new plan is held',
        );
        return 'new';
    }
  }
}
