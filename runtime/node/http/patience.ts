/**
 * What a client may cost before it is told to calm down (RFC 9113 §10.5): each frame that asks for
 * work or for an answer has its price, what it is answered earns, and so does time.
 */
export class Patience {
  #left: number = MOST;

  /** Whether there is some left. */
  spend(price: number): boolean {
    this.#left -= price;
    return this.#left >= 0;
  }

  earn(amount: number): void {
    this.#left = Math.min(MOST, this.#left + amount);
  }

  /** Some time has gone by. */
  recover(): void {
    this.earn(EVERY_SWEEP);
  }
}

const MOST = 1000;
const EVERY_SWEEP = 50;
