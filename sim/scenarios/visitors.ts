import { answersOf, isNone, type Scene, servedBy } from './look.ts';
import { CLIENTS, type Client } from './scenario.ts';

/** How long a visitor thinks between two visits. */
const THINKING_MS = 400;
/** So many failures are told; more help nobody. */
const FAILURES_MAX = 5;

/**
 * People who ask for a site all the time, and none of whom may see a failure: every nameserver that
 * runs names a node, and every node that runs serves the site whole. Each node counts from its first
 * good answer on, for what is new has a long way to it; so it does again once it was started.
 */
export class Visitors {
  readonly failures: string[] = [];
  readonly #scene: Scene;
  readonly #over = new AbortController();
  readonly #visits: Promise<void>[] = [];
  /** By node and what is asked of it: the life in which it was last seen to be good. */
  readonly #good = new Map<string, number>();
  #count = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** From now on. */
  visit(site: string): void {
    this.#visits.push(this.#keepVisiting(site));
  }

  /** Throws when one of them has seen a failure. */
  async stop(): Promise<void> {
    this.#over.abort(new Error('the play is over'));
    await Promise.all(this.#visits);
    if (this.failures.length > 0)
      throw new Error(`visitors saw failures:\n  ${this.failures.join('\n  ')}`);
    if (this.#visits.length > 0 && this.#count === 0) throw new Error('nobody visited anything');
  }

  async #keepVisiting(site: string): Promise<void> {
    const { stage, cast } = this.#scene;
    const { signal } = this.#over;
    const clients = Object.keys(CLIENTS) as Client[];
    for (let turn = 0; !signal.aborted; turn += 1) {
      const from = clients[turn % clients.length] ?? 'nowhere';
      const [nameserver, edge] = (['nameserver', 'edge'] as const).map((role) => {
        const running = cast.nodes(['up'], role);
        return running[turn % Math.max(1, running.length)];
      });
      if (nameserver !== undefined) await this.#askAndFetch(nameserver, site, from);
      if (edge !== undefined) await this.#fetch(edge, site);
      await stage.clock.sleep(THINKING_MS, signal).catch(() => undefined);
    }
  }

  async #askAndFetch(nameserver: string, site: string, from: Client): Promise<void> {
    const question = { name: this.#scene.cast.hostOf(site), type: 'A', from } as const;
    let named: readonly string[] = [];
    await this.#judge(nameserver, `dns ${site}`, async () => {
      named = await answersOf(this.#scene, nameserver, question);
      if (named.length > 0 && !isNone(named) && !named.includes('silent')) return undefined;
      return `${nameserver} answers ${named.join(', ') || 'nothing'} to ${from}`;
    });
    const running = this.#scene.cast.nodes(['up'], 'edge');
    for (const node of named) if (running.includes(node)) await this.#fetch(node, site);
  }

  async #fetch(node: string, site: string): Promise<void> {
    await this.#judge(node, `pages ${site}`, async () => {
      const served = await servedBy(this.#scene, node, site);
      return typeof served === 'number' ? undefined : `${node} serves ${served} of ${site}`;
    });
  }

  /** What fails while something is done to the node proves nothing. */
  async #judge(node: string, what: string, look: () => Promise<string | undefined>): Promise<void> {
    const { cast } = this.#scene;
    const life = cast.life(node);
    const failure = await look().catch((error: unknown) => String(error));
    if (cast.life(node) !== life || cast.phase(node) !== 'up') return;
    const key = `${node} ${what}`;
    if (failure === undefined) {
      this.#count += 1;
      this.#good.set(key, life);
    } else if (this.#good.get(key) === life && this.failures.length < FAILURES_MAX) {
      this.failures.push(failure);
    }
  }
}
