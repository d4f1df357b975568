import type { Dialer } from '../../runtime/session/dialer.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import type { Check } from '../check/check.ts';
import type { Process } from '../engine/process.ts';
import type { Caller } from './caller.ts';
import { Connection, type ConnectionPorts, type Listener } from './connection.ts';
import { Echoes } from './echoes.ts';
import type { Contact } from './ways.ts';

export interface DiallingPorts extends ConnectionPorts {
  /** The hosts that nodes dial, one after the other. */
  readonly doms: readonly string[];
  readonly watch: Pick<Check, 'called' | 'sent'>;
  /** Frames that one end of a link has sent although it was told to wait. */
  readonly onExcess: (frames: number) => void;
}

/** Frames that reach dom once more, at most. */
const REPEATED_FRAMES_MAX = 3;

/** How nodes get their links to doms. */
export class Dialling {
  readonly #ports: DiallingPorts;
  readonly #listeners = new Map<string, Listener>();
  /** By life of a sub, which starts over with the first dom. */
  readonly #dials = new WeakMap<Process, number>();
  readonly #echoes: Echoes;

  constructor(ports: DiallingPorts) {
    this.#ports = { ...ports, random: ports.random.fork('dialling') };
    this.#echoes = new Echoes(this.#ports);
  }

  /** From now on this process takes what is dialled there. */
  listen(host: string, listener: Listener): void {
    this.#listeners.set(host, listener);
  }

  dialer(caller: Caller): Dialer {
    const { doms } = this.#ports;
    return caller.process.wrap<Dialer>({
      doms: doms.length,
      dial: (signal) => this.#dial(caller, signal),
    });
  }

  /** Which dom a sub has dialled last, or would dial first. */
  lastDialled({ process }: Caller): string {
    const { doms } = this.#ports;
    const dials = this.#dials.get(process) ?? 0;
    const host = doms[Math.max(0, dials - 1) % Math.max(1, doms.length)];
    if (host === undefined) throw new LinkClosedError('refused', 'no address of dom is known');
    return host;
  }

  /** As the real dialer does it: a node knows all doms, and each dial goes to the next one. */
  async #dial(caller: Caller, signal: AbortSignal): Promise<Link> {
    const { random, ways, watch } = this.#ports;
    const { process, node } = caller;
    this.#dials.set(process, (this.#dials.get(process) ?? 0) + 1);
    const host = this.lastDialled(caller);
    watch.called?.({ from: node, process: process.name, to: host, service: 'session' });
    const contact = this.#contact(caller, host);
    // gRPC gives a link before anybody is known to be there; the port allows both.
    if (random.chance(0.5)) return this.#openEarly(caller, host, contact);
    switch (await contact) {
      case 'connected': {
        signal.throwIfAborted();
        const connection = this.#connect(caller, host);
        this.#accept(connection, host);
        return connection.sub;
      }
      case 'refused':
        throw new LinkClosedError('lost', refusal(host));
      case 'silent':
        return ways.silence(signal);
    }
  }

  #openEarly(caller: Caller, host: string, contact: Promise<Contact>): Link {
    const connection = this.#connect(caller, host);
    void contact.then((outcome) => {
      if (outcome === 'connected') this.#accept(connection, host);
      else connection.fail(outcome === 'refused' ? { message: refusal(host) } : 'silently');
    });
    return connection.sub;
  }

  #connect(caller: Caller, host: string): Connection {
    const { random, faults, watch, onExcess } = this.#ports;
    const { node, identity } = caller;
    const nodeUid = identity.kind === 'node' ? identity.uid : '';
    const repeats = random.chance(faults().repeatedDial);
    const again = repeats ? this.#repeat(caller, host) : () => undefined;
    const connection = new Connection(this.#ports, {
      ...{ caller, host },
      onFrame: (from, bytes, excessFrames) => {
        const dom = this.#listener(host)?.process.name ?? host;
        watch.sent?.({ node, nodeUid, from, dom, bytes });
        if (excessFrames > 0) onExcess(excessFrames);
        if (from === 'sub') return again(bytes);
        const echo = this.#echoes.after(nodeUid, bytes);
        if (echo !== undefined) connection.echo(echo);
      },
    });
    return connection;
  }

  /**
   * What a transport does that tries again on a fresh connection, not knowing that the first one
   * got through: dom hears the same words twice, in any order. Nobody reads what it answers there.
   */
  #repeat(caller: Caller, host: string): (frame: Uint8Array) => void {
    const { random, trace } = this.#ports;
    const ghost = new Connection(this.#ports, { caller, host, onFrame: () => undefined });
    let left = random.integer(1, REPEATED_FRAMES_MAX);
    void this.#contact(caller, host).then((contact) => {
      if (contact !== 'connected') return;
      trace.add('network', `${host} hears ${caller.node} twice`, { kind: 'fault' });
      this.#accept(ghost, host);
    });
    return (frame) => {
      left -= 1;
      if (left >= 0) ghost.sub.send(frame);
    };
  }

  #contact({ node }: Caller, host: string): Promise<Contact> {
    const isListening = (): boolean => this.#listener(host) !== undefined;
    return this.#ports.ways.contact({ from: node, to: host }, isListening);
  }

  #accept(connection: Connection, host: string): void {
    const listener = this.#listener(host);
    // It has gone at this very moment.
    if (listener === undefined) connection.fail('silently');
    else connection.accept(listener);
  }

  #listener(host: string): Listener | undefined {
    const listener = this.#listeners.get(host);
    return listener?.process.alive === true ? listener : undefined;
  }
}

function refusal(host: string): string {
  return `dial ${host}: connection refused`;
}
