import { type Layout, rowAtLine } from './layout.ts';
import { messageOf, type Run } from './run.ts';

/** An arrow between two rows. */
export interface Edge {
  readonly fromRow: number;
  readonly toRow: number;
}

/** The arrows of messages whose two ends are shown, to be found by the rows that they pass. */
export class Edges {
  /** By block of rows: what passes there. */
  readonly #blocks: Edge[][] = [];

  constructor(run: Run, layout: Layout) {
    for (const [toRow, number] of layout.numbers.entries()) {
      const cause = messageOf(run, number);
      if (cause === undefined) continue;
      const fromRow = rowAtLine(layout, cause);
      if (layout.numbers[fromRow] === cause) this.#add({ fromRow, toRow });
    }
  }

  /** Those that may be seen between two rows; each once. */
  *between(first: number, last: number): Generator<Edge> {
    const seen = new Set<Edge>();
    for (let block = first >> BLOCK_BITS; block <= last >> BLOCK_BITS; block += 1)
      for (const edge of this.#blocks[block] ?? []) {
        if (seen.has(edge) || edge.fromRow > last || edge.toRow < first) continue;
        seen.add(edge);
        yield edge;
      }
  }

  #add(edge: Edge): void {
    for (let block = edge.fromRow >> BLOCK_BITS; block <= edge.toRow >> BLOCK_BITS; block += 1)
      (this.#blocks[block] ??= []).push(edge);
  }
}

/** 64 rows a block. */
const BLOCK_BITS = 6;
