import packet from 'dns-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { type DatagramPeer, memoryDatagrams } from '../../../runtime/dns/memory-datagrams.ts';
import { type Log, silentLog } from '../../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../../runtime/test-clock.ts';
import { seededRandom } from '../seeded.fixture.ts';
import {
  createNotifier,
  NOTIFY_ATTEMPTS_MAX,
  NOTIFY_CONCURRENT_MAX,
  NOTIFY_DELAY_MS,
  type Notifier,
} from './notifier.ts';
import { transferable, transferPlan } from './primary.fixture.ts';
import { KEY, readTsig, signed } from './secondary.fixture.ts';

const ADDRESS = '192.0.2.53';
const FROM = ['192.0.2.1'];
const HOUR_MS = 3_600_000;

let clock: VirtualClock;
let heard: Buffer[];
let warnings: object[];
let datagrams: ReturnType<typeof memoryDatagrams>;
let notifier: Notifier;
let over: AbortController;
let running: Promise<void>;

beforeEach(() => {
  clock = virtualClock();
  heard = [];
  warnings = [];
  datagrams = memoryDatagrams({ clock });
  const next = seededRandom(1996);
  const random = { next, bytes: (count: number) => Buffer.alloc(count).map(() => next() * 256) };
  const log: Log = { ...silentLog, warn: (fields) => void warnings.push(fields) };
  notifier = createNotifier({ clock, random, log, datagrams });
  over = new AbortController();
  running = notifier.run(over.signal);
});

afterEach(async () => {
  over.abort();
  await running;
});

/** A secondary that keeps what it hears; `answer` is what it says to it. */
function listen(answer: (message: Buffer) => readonly Buffer[], address = ADDRESS): void {
  const peer: DatagramPeer = (bytes) => {
    heard.push(Buffer.from(bytes));
    return answer(Buffer.from(bytes)).map((message) => ({ message }));
  };
  datagrams.setPeer(address, 53, peer);
}

/** The reply by which the primary knows that it was heard (RFC 1996 §3.3), unsigned. */
function reply(message: Buffer, rcode = 0): Buffer {
  const bare = readTsig(message)?.bare ?? message;
  const question = bare.subarray(0, 12 + 13 + 4);
  const copy = Buffer.from(question);
  copy.writeUInt16BE(0xa400 | rcode, 2);
  copy.fill(0, 6, 12);
  return copy;
}

function signedReply(message: Buffer, key = KEY): Buffer {
  const requestMac = readTsig(message)?.mac ?? Buffer.alloc(0);
  const timeS = Math.floor(clock.nowMs() / 1000);
  return signed(reply(message), { timeS, key, requestMac }).bytes;
}

function open(given: Partial<ZonePlan> = {}): ZonePlan {
  const secondaries = [{ address: ADDRESS, port: 53, key: undefined }];
  return transferable({ transfer: transferPlan({ secondaries }), ...given });
}

const acknowledge = (message: Buffer): readonly Buffer[] => [reply(message)];
const nothing = (): readonly Buffer[] => [];

describe('what is said', () => {
  test('that the zone has a new SOA (RFC 1996 §3.7)', async () => {
    listen(acknowledge);
    notifier.served({ zones: [open({ serial: 7 })], from: FROM });
    await clock.advance(HOUR_MS);
    expect(heard.length).toBe(1);
    const decoded = packet.decode(heard[0] ?? Buffer.alloc(0));
    expect(heard[0]?.readUInt16BE(2)).toBe(0x2400);
    expect(decoded.questions).toEqual([{ name: 'example.com', type: 'SOA', class: 'IN' }]);
    expect(decoded.answers?.[0]).toMatchObject({
      name: 'example.com',
      type: 'SOA',
      data: { mname: 'ns1.example.com', rname: 'hostmaster.example.com', serial: 7, minimum: 300 },
    });
  });

  test('signed with the key of the secondary (RFC 8945)', async () => {
    listen((message) => [signedReply(message)]);
    notifier.served({ zones: [transferable()], from: FROM });
    await clock.advance(HOUR_MS);
    expect(heard.length).toBe(1);
    const [message = Buffer.alloc(12)] = heard;
    const tsig = readTsig(message);
    expect(signed(tsig?.bare ?? Buffer.alloc(0), { timeS: tsig?.timeS ?? 0 }).bytes).toEqual(
      message,
    );
  });
});

describe('until it is heard', () => {
  test('what is lost is said again, later and later, and then no more', async () => {
    listen(nothing);
    notifier.served({ zones: [open()], from: FROM });
    await clock.advance(NOTIFY_DELAY_MS);
    expect(heard.length).toBe(1);
    await clock.advance(10_000);
    expect(heard.length).toBeGreaterThanOrEqual(2);
    await clock.advance(24 * HOUR_MS);
    expect(heard.length).toBe(NOTIFY_ATTEMPTS_MAX);
    expect(warnings).toMatchObject([{ zone: 'example.com', serial: 2026, address: ADDRESS }]);
    listen(acknowledge);
    notifier.served({ zones: [open({ serial: 2027 })], from: FROM });
    await clock.advance(HOUR_MS);
    expect(heard.length).toBe(NOTIFY_ATTEMPTS_MAX + 1);
  });

  test.each([
    { when: 'it is another one’s', answers: (m: Buffer) => [edited(reply(m), 1, 0x55)] },
    { when: 'it is no answer', answers: (m: Buffer) => [m] },
    { when: 'it is of another opcode', answers: (m: Buffer) => [edited(reply(m), 2, 0x84)] },
    { when: 'it is cut', answers: () => [Buffer.alloc(11)] },
    { when: 'the secondary refuses', answers: (m: Buffer) => [reply(m, 5)] },
  ])('a reply does not count: $when', async ({ answers }) => {
    listen(answers);
    notifier.served({ zones: [open()], from: FROM });
    await clock.advance(24 * HOUR_MS);
    expect(heard.length).toBe(NOTIFY_ATTEMPTS_MAX);
  });

  test.each([
    { when: 'it is not signed', answers: (m: Buffer) => [reply(m)] },
    {
      when: 'it is signed with another key',
      answers: (m: Buffer) => [signedReply(m, { ...KEY, secret: Buffer.from('guessed') })],
    },
  ])('to a signed one it does not count: $when', async ({ answers }) => {
    listen(answers);
    notifier.served({ zones: [transferable()], from: FROM });
    await clock.advance(24 * HOUR_MS);
    expect(heard.length).toBe(NOTIFY_ATTEMPTS_MAX);
  });
});

describe('who is told of what', () => {
  const serialsHeard = (): readonly number[] =>
    heard.map((message) => {
      const [soa] = packet.decode(message).answers ?? [];
      return soa?.type === 'SOA' ? (soa.data.serial ?? 0) : 0;
    });

  test('of one version once, however often it is applied', async () => {
    listen(acknowledge);
    for (let count = 0; count < 3; count += 1) {
      notifier.served({ zones: [open()], from: FROM });
      await clock.advance(60_000);
    }
    expect(heard.length).toBe(1);
  });

  test('of several versions in a row, the last one', async () => {
    listen(acknowledge);
    for (const serial of [1, 2, 3]) notifier.served({ zones: [open({ serial })], from: FROM });
    await clock.advance(HOUR_MS);
    expect(serialsHeard()).toEqual([3]);
  });

  test('a version that overtakes another one takes its place', async () => {
    listen(nothing);
    notifier.served({ zones: [open({ serial: 1 })], from: FROM });
    await clock.advance(NOTIFY_DELAY_MS + 1000);
    listen(acknowledge);
    notifier.served({ zones: [open({ serial: 2 })], from: FROM });
    await clock.advance(HOUR_MS);
    expect(serialsHeard()).toEqual([1, 2]);
  });

  test('nobody any more once the zone or the secondary is gone', async () => {
    listen(nothing);
    notifier.served({ zones: [open()], from: FROM });
    await clock.advance(NOTIFY_DELAY_MS);
    notifier.served({ zones: [open({ transfer: undefined })], from: FROM });
    await clock.advance(24 * HOUR_MS);
    expect(heard.length).toBe(1);
  });

  test('nobody of a signed zone, which is not handed out', async () => {
    listen(acknowledge);
    const key = { keyTag: 1, publicKey: Buffer.alloc(64), privatePem: '', role: 'active', ds: '' };
    notifier.served({ zones: [open({ keys: [key] })], from: FROM });
    await clock.advance(HOUR_MS);
    expect(heard).toEqual([]);
  });

  test('one that is silent holds nobody else up, and not all are told at once', async () => {
    const addresses = Array.from({ length: 100 }, (_, index) => `192.0.2.${index + 100}`);
    for (const address of addresses) listen(nothing, address);
    const zones = addresses.map((address) =>
      open({
        uid: address,
        transfer: transferPlan({ secondaries: [{ address, port: 53, key: undefined }] }),
      }),
    );
    notifier.served({ zones, from: FROM });
    await clock.advance(NOTIFY_DELAY_MS);
    expect(heard.length).toBe(NOTIFY_CONCURRENT_MAX);
    await clock.advance(24 * HOUR_MS);
    expect(heard.length).toBe(100 * NOTIFY_ATTEMPTS_MAX);
  });
});

function edited(bytes: Buffer, offset: number, value: number): Buffer {
  bytes[offset] = value;
  return bytes;
}
