import { expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import { FastPath } from '../compiled/fast-path.ts';
import { opt, queryBytes } from '../dns.fixture.ts';
import { ecdsaSign } from './ecdsa.ts';
import { Signatures } from './signatures.ts';
import {
  askSigned,
  DO,
  dsOfKey,
  GERMANY,
  JAPAN,
  KEY,
  NOW_MS,
  SIGNED,
  signedSnapshot,
} from './signed.fixture.ts';
import { faultsOf, readReply, trustKeys } from './verifier.fixture.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
const snapshot = signedSnapshot();
const ds = [dsOfKey(SIGNED, KEY)];
const names = ['mail', 'www', 'site', 'no', 'ent', 'x.wild', 'www.secure', 'www.child', 'order'];

test('answers that are kept in parts are never signed, and signed ones never old', () => {
  const fast = new FastPath(snapshot);
  const signatures = new Signatures(ecdsaSign);
  // The same snapshot a year later: what was kept as bytes would have ended long ago.
  for (const nowMs of [NOW_MS, NOW_MS, NOW_MS + YEAR_MS]) {
    const keys = trustKeys(
      askSigned(snapshot, SIGNED.origin, 'DNSKEY', { nowMs }),
      ds,
      nowMs / 1000,
    );
    for (const client of [JAPAN, GERMANY, JAPAN])
      for (const flags of [0, DO, DO, 0])
        for (const name of names)
          for (const type of ['A', 'AAAA', 'TXT']) {
            const context = { snapshot, client, nowMs, signatures };
            const query = queryBytes(`${name}.${SIGNED.origin}`, type, opt([], { flags }));
            const reply = fast.answer(query, context) ?? answerQuery(query, context);
            const read = readReply(reply ?? new Uint8Array());
            const types = [...read.answer, ...read.authority].map((record) => record.type);
            if (flags === DO) expect(faultsOf(read, keys, nowMs / 1000)).toEqual([]);
            else expect(types).not.toContain(46);
          }
  }
  expect(fast.counters().composed).toBeGreaterThan(0);
});
