export interface OutagePorts {
  /** All machines, nodes or not. */
  readonly nodes: readonly string[];
  /** Those that ask. */
  readonly nameservers: readonly string[];
  /** Whether the node answers anybody: it is not dead, standing still or still starting. */
  readonly isServing: (node: string) => boolean;
  /** Whether anything passes from one to the other. */
  readonly reaches: (from: string, to: string) => boolean;
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

  constructor(ports: OutagePorts) {
    this.#ports = ports;
    for (const nameserver of ports.nameservers) this.#contacts.set(nameserver, new Map());
  }

  /** To be called after each step of the world. */
  stepped(): void {
    const { nodes, isServing, reaches, nowMs } = this.#ports;
    for (const node of nodes) note(this.#serving, node, isServing(node), nowMs);
    for (const [nameserver, contacts] of this.#contacts) {
      if (this.serving(nameserver).state === 'down') continue;
      for (const node of nodes) {
        const passes = reaches(nameserver, node) && reaches(node, nameserver);
        const isUp = this.serving(node).state === 'up' && (passes || node === nameserver);
        note(contacts, node, isUp, nowMs);
      }
    }
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

function note(
  contacts: Map<string, Contact>,
  node: string,
  isUp: boolean,
  nowMs: () => number,
): void {
  const state = isUp ? 'up' : 'down';
  if (contacts.get(node)?.state !== state) contacts.set(node, { state, sinceMs: nowMs() });
}
