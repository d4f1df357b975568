/** Hosts by name; `all`: these, and whoever else is on the network. */
export type Side = 'all' | readonly string[];

/** What hosts on one side send to hosts on the other is lost. */
export interface Cut {
  readonly from: Side;
  readonly to: Side;
}

/** Who can send to whom by now. Cuts may overlap: each is healed by itself. */
export class Reachability {
  readonly #cuts = new Set<Cut>();
  readonly #refusing = new Set<{ readonly host: string }>();
  /** Grows whenever a cut is made or healed. */
  changes = 0;

  /** Returns what heals it. */
  cut(cut: Cut): () => void {
    // An object of its own, for the same cut may be made twice.
    const own = { ...cut };
    this.#cuts.add(own);
    this.changes += 1;
    return () => {
      this.#cuts.delete(own);
      this.changes += 1;
    };
  }

  /** The host turns new connections away at once. Returns what ends it. */
  refuse(host: string): () => void {
    const own = { host };
    this.#refusing.add(own);
    return () => void this.#refusing.delete(own);
  }

  passes(from: string, to: string): boolean {
    for (const cut of this.#cuts) if (isOn(cut.from, from) && isOn(cut.to, to)) return false;
    return true;
  }

  refuses(host: string): boolean {
    for (const each of this.#refusing) if (each.host === host) return true;
    return false;
  }
}

/** Both ways. */
export function apart(one: Side, other: Side): readonly Cut[] {
  return [
    { from: one, to: other },
    { from: other, to: one },
  ];
}

function isOn(side: Side, host: string): boolean {
  return side === 'all' || side.includes(host);
}
