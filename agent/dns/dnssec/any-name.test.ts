import { expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import { UDP_CLIENT } from '../dns.fixture.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { ecdsaSign } from './ecdsa.ts';
import { Signatures } from './signatures.ts';
import {
  askSigned,
  CO,
  DO,
  dsOfKey,
  KEY,
  NOW_MS,
  SIGNED,
  signedSnapshot,
} from './signed.fixture.ts';
import {
  compareNames,
  dotted,
  faultsOf,
  nsecOf,
  readReply,
  trustKeys,
  wire,
} from './verifier.fixture.ts';

const QUERIES = 1500;
const BYTES = ['\0', '\x01', '*', '-', '.', '@', '[', '`', 'a', 'z', '\x7f', '\x80', '\xff'];
const TYPES = [1, 2, 5, 6, 15, 16, 28, 33, 43, 46, 47, 48, 59, 60, 255, 257, 65_280];
const OWN = [
  [],
  ['mail'],
  ['www'],
  ['site'],
  ['ent'],
  ['*', 'wild'],
  ['wild'],
  ['any'],
  ['child'],
  ['secure'],
];

/** A query with an OPT record that has flags and nothing else. */
function query(labels: readonly string[], type: number, flags: number, sizeBytes: number): Buffer {
  const header = Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  const opt = [0, 0, 41, sizeBytes >> 8, sizeBytes & 0xff, 0, 0, flags >> 8, flags & 0xff, 0, 0];
  const question = Buffer.from([type >> 8, type & 0xff, 0, 1]);
  return Buffer.concat([header, wire(labels), question, Buffer.from(opt)]);
}

test('whatever name and type is asked for, the answer is signed as it must be', () => {
  const random = seededRandom(35);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const snapshot = signedSnapshot();
  const signatures = new Signatures(ecdsaSign);
  const keys = trustKeys(
    askSigned(snapshot, SIGNED.origin, 'DNSKEY'),
    [dsOfKey(SIGNED, KEY)],
    NOW_MS / 1000,
  );
  let denied = 0;
  for (let count = 0; count < QUERIES; count += 1) {
    const labels: string[] = [...pick(OWN), 'example', 'com'];
    for (let more = Math.floor(random() * 4); more > 0; more -= 1) {
      const length = random() < 0.2 ? 63 : 1 + Math.floor(random() * 8);
      const label = Array.from({ length }, () => pick(BYTES)).join('');
      if (wire([label, ...labels]).length <= 255) labels.unshift(label);
    }
    const type = pick(TYPES);
    const flags = pick([DO, DO | CO]);
    const sizeBytes = pick([512, 1232, 4096]);
    const bytes = query(labels, type, flags, sizeBytes);
    const context = { snapshot, client: UDP_CLIENT, nowMs: NOW_MS, signatures };
    const reply = answerQuery(bytes, context) ?? new Uint8Array();
    expect(reply.length).toBeLessThanOrEqual(Math.min(sizeBytes, 1232));
    const read = readReply(reply);
    if (read.truncated || type === 46) continue;
    expect(faultsOf(read, keys, NOW_MS / 1000), `${dotted(labels)} ${type}`).toEqual([]);
    const nsec = nsecOf(read.authority);
    if (read.answer.length === 0 && read.authoritative) expect(nsec?.owner).toBe(dotted(labels));
    if (nsec === undefined) continue;
    denied += 1;
    // Nothing but the name itself is spoken of.
    const owner = read.authority.find((record) => record.type === 47)?.owner ?? [];
    expect(compareNames(owner, nsec.next)).toBeLessThan(0);
    // NSEC has its own bit, and a referral's is of the cut.
    if (read.authoritative && type !== 47) expect(nsec.types).not.toContain(type);
  }
  expect(denied).toBeGreaterThan(QUERIES / 3);
});
