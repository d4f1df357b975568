import { comparePositions, positionText } from '../../agent/session/plan-state.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import { digestHex } from '../../runtime/digest.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import type { Published } from '../load/content.ts';
import type { DnsReply } from '../load/dns-client.ts';

/** Something that must never happen has happened; the message begins with its number. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Watches a run. Whatever sees something tells it here; the first violation is kept, and thrown by
 * `assertHeld`.
 */
export class Invariants {
  readonly #seed: number;
  #violation: InvariantError | undefined;
  /** Releases that dom has switched the site to, in order; one may come again. */
  readonly #switches: string[] = [];
  readonly #published = new Map<string, Published>();
  readonly #positions = new Map<string, Position>();
  /** By node: the index in `#switches` of what it was last seen to serve. */
  readonly #served = new Map<string, number>();
  /** Nameservers that have named a node for the site before. */
  readonly #answered = new Set<string>();
  readonly #redeemed = new Set<string>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  assertHeld(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** `number` as in the list of invariants. */
  violated(number: number, what: string): void {
    this.#violation ??= new InvariantError(
      `INV-${number}: ${what}; replay: make sim SEED=${this.#seed}`,
    );
  }

  published(release: Published): void {
    this.#published.set(releaseMark(release), release);
  }

  /** Dom has written that the site is served from this release. */
  switched(release: Published | undefined): void {
    if (release !== undefined) this.#switches.push(releaseMark(release));
  }

  /** INV-14: positions of one node never go back, also across its restarts. */
  position(node: string, which: 'held' | 'applied', position: Position | undefined): void {
    if (position === undefined) return;
    const key = `${node} ${which}`;
    const before = this.#positions.get(key);
    if (before === position) return;
    if (before !== undefined && comparePositions(position, before) < 0)
      this.violated(14, `${key} ${positionText(position)} after ${positionText(before)}`);
    this.#positions.set(key, position);
  }

  /** INV-21: a nameserver that has named a node once always names one. */
  dnsAnswer(nameserver: string, reply: DnsReply | undefined): void {
    const isEmpty = reply === undefined || reply.rcode !== 0 || reply.addresses.length === 0;
    if (!isEmpty) this.#answered.add(nameserver);
    else if (this.#answered.has(nameserver))
      this.violated(21, `${nameserver} answers ${replyText(reply)} for a site that it knew`);
  }

  /** INV-28: whoever is named serves the site from a release that dom has switched to. */
  namedNode(nameserver: string, node: string, answer: HttpAnswer): void {
    if (answer.status !== 200)
      this.violated(28, `${nameserver} names ${node}, which answers ${answer.status}`);
  }

  /** INV-27, INV-24: what a node answers for a path of the site that every release has. */
  response(node: string, path: string, answer: HttpAnswer): void {
    const before = this.#served.get(node);
    if (answer.status !== 200) {
      if (before !== undefined)
        this.violated(24, `${node} answers ${answer.status} for a site that it served`);
      return;
    }
    const mark = header(answer, 'b8s-release') ?? 'no release';
    const expected = this.#published.get(mark)?.files.get(path);
    const actual = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    if (expected === undefined || !(actual instanceof Uint8Array) || !expected.equals(actual))
      return this.violated(27, `${node} serves bytes of ${path} that are not those of ${mark}`);
    if (before !== undefined && this.#switches[before] === mark) return;
    // The earliest switch that explains it: whatever is explicable at all is so by this one.
    const index = this.#switches.indexOf(mark, before === undefined ? 0 : before + 1);
    if (index < 0) {
      const was = before === undefined ? 'nothing' : this.#switches[before];
      return this.violated(27, `${node} serves ${mark} after ${was}, which dom did not ask for`);
    }
    this.#served.set(node, index);
  }

  /** INV-35 */
  tokenRedeemed(token: string): void {
    const [id = ''] = token.split('.');
    if (this.#redeemed.has(id)) this.violated(35, `token ${id} has bought two certificates`);
    this.#redeemed.add(id);
  }
}

/** As the header `b8s-release` shows it. */
function releaseMark({ digest }: Published): string {
  return digestHex(digest).slice(0, 12);
}

function header(answer: HttpAnswer, name: string): string | undefined {
  return answer.headers.find(([each]) => each === name)?.[1];
}

function replyText(reply: DnsReply | undefined): string {
  if (reply === undefined) return 'nothing';
  return reply.rcode === 0 ? 'an empty set' : `rcode ${reply.rcode}`;
}
