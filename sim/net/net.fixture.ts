import type { Place } from '../../agent/dns/geo/geography.ts';
import { turns } from '../../runtime/node/settle.ts';
import type { Link } from '../../runtime/session/link.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Call } from '../check/check.ts';
import { Process } from '../engine/process.ts';
import { type SeededRandom, seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { Trace } from '../engine/trace.ts';
import { CALM_NET, type NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import { Network } from './network.ts';
import { Ways } from './ways.ts';

/** Both subs and the first dom are far from one another: about 42, 86 and 128 ms. */
const PLACES: Readonly<Record<string, Place>> = {
  london: { latitude: 51.51, longitude: -0.13 },
  newyork: { latitude: 40.71, longitude: -74.01 },
  sydney: { latitude: -33.87, longitude: 151.21 },
  'dom-1': { latitude: 51.51, longitude: -0.13 },
};

/** A dom that writes down what it hears. */
export interface PlayedDom {
  readonly process: Process;
  /** By session, in order: frames as text, "end" or the message of the error at last. */
  readonly heard: string[][];
  readonly links: Link[];
  /** How many pieces of blobs it was asked for. */
  pieces: number;
}

export class NetPlay {
  readonly scheduler = new Scheduler({ random: seededRandom('order'), turns });
  readonly trace = new Trace(() => this.scheduler.nowMs, { keep: 'lines' });
  readonly calls: Call[] = [];
  readonly serving = new Set<string>();
  readonly network: Network;
  readonly random: SeededRandom;
  faults: NetFaults;

  constructor(faults: Partial<NetFaults> = {}, { seed = 'play', doms = ['dom-1'] } = {}) {
    this.random = seededRandom(seed);
    this.faults = { ...CALM_NET, jitterMs: 0, ...faults };
    this.network = new Network({
      ...{ scheduler: this.scheduler, random: this.random, trace: this.trace, doms },
      faults: () => this.faults,
      placeOf: (host) => PLACES[host],
      isServing: (node) => this.serving.has(node),
      watch: { called: (call) => void this.calls.push(call) },
    });
  }

  sub(node: string, process = new Process(`${node}#1`)): Caller {
    return { node, identity: { kind: 'node', name: node, uid: `${node}-uid` }, process };
  }

  /** With one blob. */
  dom(name: string, blob: Uint8Array = Buffer.alloc(0)): PlayedDom {
    const process = new Process(`${name}#1`);
    const dom: PlayedDom = { process, heard: [], links: [], pieces: 0 };
    this.network.addDom({
      ...{ name, process },
      accept: (link: Link, _identity: Identity) => {
        dom.links.push(link);
        dom.heard.push(hear(link));
      },
      findPeers: async () => [],
      async *fetchBlob(_node, _digest, offsetBytes) {
        dom.pieces += 1;
        yield blob.subarray(offsetBytes);
      },
    });
    return dom;
  }

  run(ms: number): Promise<unknown> {
    return this.scheduler.run(this.scheduler.nowMs + ms);
  }

  faultsSeen(): readonly string[] {
    return this.trace
      .lines()
      .filter(({ kind }) => kind === 'fault')
      .map(({ what }) => what);
  }
}

/** What is read from a link by now; at last the word of its end. */
export function hear(link: Link): string[] {
  const heard: string[] = [];
  const listen = async (): Promise<void> => {
    for await (const frame of link.frames()) heard.push(Buffer.from(frame).toString());
    heard.push('end');
  };
  listen().catch((error: unknown) => heard.push(messageOf(error)));
  return heard;
}

/** What a promise has come to by now. */
export function outcomeOf<T>(promise: Promise<T>): { value?: T; error?: string } {
  const outcome: { value?: T; error?: string } = {};
  promise.then(
    (value) => void (outcome.value = value),
    (error: unknown) => void (outcome.error = messageOf(error)),
  );
  return outcome;
}

/** All pieces of a stream that have come by now, as text; at last the word of its end. */
export function collect(pieces: AsyncIterable<Uint8Array>): string[] {
  const got: string[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of pieces) got.push(Buffer.from(piece).toString());
    got.push('end');
  };
  read().catch((error: unknown) => got.push(messageOf(error)));
  return got;
}

export function testWays(
  faults: Partial<NetFaults> = {},
  {
    placeOf = (host) => PLACES[host],
    seed = 'ways',
  }: { placeOf?: (host: string) => Place | undefined; seed?: string } = {},
): { readonly ways: Ways; readonly scheduler: Scheduler } {
  const scheduler = new Scheduler({ random: seededRandom('order'), turns });
  const weather = { ...CALM_NET, jitterMs: 0, ...faults };
  const random = seededRandom(seed);
  return { scheduler, ways: new Ways({ scheduler, random, faults: () => weather, placeOf }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
