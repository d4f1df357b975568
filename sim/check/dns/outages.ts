export interface OutagePorts {
  /** All machines, nodes or not. */
  readonly nodes: readonly string[];
  /** Those that ask. */
  readonly nameservers: readonly string[];
  /**
   * What answers at the node, another one after each start; undefined: nothing does, it is dead,
   * standing still or still starting.
   */
  readonly servedBy: (node: string) => unknown;
  /** Whether anything passes from one to the other. */
  readonly reaches: (from: string, to: string) => boolean;
  /** Grows whenever that may have changed. */
  readonly changes: () => number;
  readonly nowMs: () => number;
}

/** Whether one can have an answer of another, and since when: virtual milliseconds. */
export interface Contact {
  readonly state: 'up' | 'down';
  readonly sinceMs: number;
}

/** The truth of who can reach whom, whatever any of them believes. */
export class Outages {
  readonly #ports: OutagePorts;
  readonly #serving = new Map<string, Contact>();
  readonly #servedBy = new Map<string, unknown>();
  /** By nameserver, then by node. */
  readonly #contacts = new Map<string, Map<string, Contact>>();
  readonly #touched = new Set<string>();
  #changes: number | undefined;

  constructor(ports: OutagePorts) {
    this.#ports = ports;
    for (const nameserver of ports.nameservers) this.#contacts.set(nameserver, new Map());
    for (const node of ports.nodes) this.#touched.add(node);
  }

  /** In this step it may have begun or ceased to answer. */
  touched(node: string): void {
    this.#touched.add(node);
  }

  /** To be called after each step of the world. */
  stepped(): void {
    const { changes } = this.#ports;
    const turned = [...this.#touched].filter((node) => this.#noteServing(node));
    this.#touched.clear();
    const isSame = this.#changes === changes();
    if (isSame && turned.length === 0) return;
    const { nowMs } = this.#ports;
    this.#changes = changes();
    for (const [nameserver, contacts] of this.#contacts) {
      if (this.serving(nameserver).state === 'down') continue;
      const isWhole = !isSame || turned.includes(nameserver);
      for (const node of isWhole ? this.#ports.nodes : turned)
        note(contacts, node, this.#isUp(nameserver, node), nowMs);
    }
  }

  /** Whether it is news: also that another process serves, which began within this very step. */
  #noteServing(node: string): boolean {
    const { servedBy, nowMs } = this.#ports;
    const now = servedBy(node);
    if (this.#servedBy.get(node) !== now) this.#serving.delete(node);
    this.#servedBy.set(node, now);
    return note(this.#serving, node, now !== undefined, nowMs);
  }

  #isUp(nameserver: string, node: string): boolean {
    const { reaches } = this.#ports;
    if (this.serving(node).state === 'down') return false;
    return node === nameserver || (reaches(nameserver, node) && reaches(node, nameserver));
  }

  /** Whether the node answers anybody at all. */
  serving(node: string): Contact {
    return this.#serving.get(node) ?? { state: 'down', sinceMs: 0 };
  }

  /**
   * What the nameserver would find if it looked. It cannot have looked before it began to serve,
   * or went on after a pause.
   */
  contact(nameserver: string, node: string): Contact {
    const contact = this.#contacts.get(nameserver)?.get(node) ?? this.serving(node);
    const sinceMs = Math.max(contact.sinceMs, this.serving(nameserver).sinceMs);
    return { state: contact.state, sinceMs };
  }
}

/** Whether it is news. */
function note(
  contacts: Map<string, Contact>,
  node: string,
  isUp: boolean,
  nowMs: () => number,
): boolean {
  const state = isUp ? 'up' : 'down';
  if (contacts.get(node)?.state === state) return false;
  contacts.set(node, { state, sinceMs: nowMs() });
  return true;
}
