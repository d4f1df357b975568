import { answerQuery, type DnsClient } from '../answer.ts';
import { chase } from '../chase.ts';
import { CLASS_IN } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { type NameKey, parentOf } from '../message/name.ts';
import { resolve } from '../resolve.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import type { CompiledZone } from '../zone/zone.ts';
import {
  type MissingAnswer,
  type MissingPlace,
  mentionedBelow,
  missingPlace,
  movedPointers,
  standIn,
} from './missing-names.ts';
import { newPlainQuery, type PlainQuery, readPlainQuery } from './plain-query.ts';
import { type Template, templateOf } from './template.ts';

/** Names below which others were asked for that do not exist, and types. */
const PLACES_MAX = 16_384;
/** What lies right below a name that exists. */
interface Below {
  /** Of the zone that the name is in. */
  readonly nodes: CompiledZone['nodes'];
  readonly byType: Map<number, MissingAnswer>;
}

interface AskedPlace extends Pick<MissingPlace, 'encloser' | 'nextCloser'> {
  readonly asked: NameKey;
}

const NONE: MissingAnswer = { template: undefined, exceptions: new Set() };
/** Whoever it is, the answer is the same. */
const ANYBODY: DnsClient = { address: '192.0.2.1', transport: 'tcp' };

/**
 * Answers to names that do not exist: NXDOMAIN, a wildcard's, or a referral. Nobody knows how many
 * such names will be asked for, so answers are kept by the name that exists above them.
 */
export class MissingAnswers {
  readonly #snapshot: DnsSnapshot;
  /** By the name that others which do not exist hang below. */
  readonly #below: Map<NameKey, Below> = new Map();
  #count = 0;

  constructor(snapshot: DnsSnapshot) {
    this.#snapshot = snapshot;
  }

  /** Undefined: the name exists, or is none of ours. */
  find(name: NameKey, { type }: PlainQuery): MissingAnswer | undefined {
    // Nearly all hang right below a name that others hang below, too: two texts, no more.
    const parent = parentOf(name);
    const known = this.#below.get(parent);
    if (known !== undefined && !this.#snapshot.zones.has(name)) {
      if (known.nodes.has(name)) return undefined;
      return this.#answer(known, { encloser: parent, nextCloser: name, asked: name }, type);
    }
    const place = missingPlace(this.#snapshot, name);
    if (place === undefined) return undefined;
    const { nodes } = place;
    const below = this.#below.get(place.encloser) ?? { nodes, byType: new Map() };
    return this.#answer(below, { ...place, asked: name }, type);
  }

  #answer(below: Below, place: AskedPlace, type: number): MissingAnswer {
    let answer = below.byType.get(type);
    if (answer === undefined) {
      answer = this.#learn(place, type);
      this.#keep(below, place.encloser, { answer, type });
    }
    return answer.exceptions.has(place.nextCloser) ? NONE : answer;
  }

  #keep(
    below: Below,
    encloser: NameKey,
    { answer, type }: { readonly answer: MissingAnswer; readonly type: number },
  ): void {
    if (this.#count >= PLACES_MAX) {
      this.#below.clear();
      below.byType.clear();
      this.#count = 0;
    }
    this.#count += 1;
    below.byType.set(type, answer);
    this.#below.set(encloser, below);
  }

  /** Compares the answers to two names that do not exist, of different lengths. */
  #learn(
    { encloser, asked }: { readonly encloser: NameKey; readonly asked: NameKey },
    type: number,
  ): MissingAnswer {
    const snapshot = this.#snapshot;
    const one = standIn(snapshot, { encloser, asked });
    const other = one === undefined ? one : standIn(snapshot, { encloser, asked: one });
    if (one === undefined || other === undefined) return NONE;
    const kind = chase(snapshot.zones, { name: one, type })?.end?.found.kind;
    // What depends on who asks, or on what others say.
    if (kind === 'geo' || kind === 'borrowed') return NONE;
    const vantage = { address: new Uint8Array(4), knownBits: 0 };
    const { reply } = resolve(snapshot, { name: one, type }, vantage);
    const exceptions = mentionedBelow(reply, { encloser, asked: one });
    if (exceptions.has(one) || exceptions.has(other)) return NONE;
    const [shorter, longer] = [this.#template(one, type), this.#template(other, type)];
    if (shorter === undefined || longer === undefined) return NONE;
    const pointers = movedPointers(shorter, longer);
    if (pointers === undefined) return NONE;
    return { template: { ...shorter, pointers }, exceptions };
  }

  #template(name: NameKey, type: number): Template | undefined {
    const message = questionOf(name, type);
    const query = newPlainQuery('ignored');
    const context = { snapshot: this.#snapshot, client: ANYBODY, nowMs: 0 };
    const isRead = readPlainQuery(message, message.length, query);
    const reply = isRead ? answerQuery(message, context) : undefined;
    return reply === undefined ? undefined : templateOf(reply, query);
  }
}

function questionOf(name: NameKey, type: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[5] = 1;
  const fields = Buffer.of(0, type >> 8, type & 0xff, 0, CLASS_IN);
  return Buffer.concat([header, Buffer.from(name, 'latin1'), fields]);
}
