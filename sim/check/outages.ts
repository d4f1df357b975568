export interface OutagePorts {
  /** All machines, nodes or not. */
  readonly nodes: readonly string[];
  /** Those that ask. */
  readonly nameservers: readonly string[];
  /** Whether the node answers anybody: it is not dead, standing still or still starting. */
  readonly isServing: (node: string) => boolean;
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
    const { isServing, nowMs, changes } = this.#ports;
    const turned: string[] = [];
    for (const node of this.#touched)
      if (note(this.#serving, node, isServing(node), nowMs)) turned.push(node);
    this.#touched.clear();
    const isSame = this.#changes === changes();
    if (isSame && turned.length === 0) return;
    this.#changes = changes();
    for (const [nameserver, contacts] of this.#contacts) {
      if (this.serving(nameserver).state === 'down') continue;
      const isWhole = !isSame || turned.includes(nameserver);
      for (const node of isWhole ? this.#ports.nodes : turned)
        note(contacts, node, this.#isUp(nameserver, node), nowMs);
    }
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
