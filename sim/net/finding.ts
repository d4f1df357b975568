import type { Peer, PeerFinder, PeersQuestion } from '../../runtime/content/peers.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Check } from '../check/check.ts';
import type { Caller } from './caller.ts';
import { type Offer, Service, type ServicePorts } from './service.ts';

export interface FindRequest {
  readonly identity: Identity;
  readonly question: PeersQuestion;
}

export interface FindingPorts extends ServicePorts {
  readonly watch: Pick<Check, 'called'>;
  /** The host that a sub asks by now. */
  readonly sourceOf: (caller: Caller) => string;
}

/** About what a few names, keys and fingerprints come to. */
const ANSWER_BYTES = 400;

/** How nodes ask doms whom to fetch from. */
export class Finding {
  readonly #ports: FindingPorts;
  readonly #service: Service<FindRequest, readonly Peer[]>;

  constructor(ports: FindingPorts) {
    this.#ports = ports;
    this.#service = new Service(ports, {
      name: 'peers',
      sizeBytes: () => ANSWER_BYTES,
      faults: () => ({ cut: 0, hang: 0 }),
    });
  }

  /** From now on this process answers there. */
  offer(host: string, offer: Offer<FindRequest, readonly Peer[]>): void {
    this.#service.offer(host, offer);
  }

  finder(caller: Caller): PeerFinder {
    const { watch, sourceOf } = this.#ports;
    const { node, identity, process } = caller;
    return process.wrap<PeerFinder>({
      find: async (question, signal) => {
        const route = { from: node, to: sourceOf(caller) };
        const { list: digest } = question;
        watch.called?.({ ...route, process: process.name, service: 'peers', digest });
        const request = { identity, question };
        for await (const peers of this.#service.call({ ...route, process, request, signal }))
          return peers;
        return [];
      },
    });
  }
}
