import { expect, test } from 'vitest';
import { geoName } from '../dns.fixture.ts';
import { EXAMPLE } from '../example.fixture.ts';
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
import { faultsOf, trustKeys } from './verifier.fixture.ts';

/** As previews have it: a wildcard whose addresses depend on who asks. */
const PREVIEWS = geoName('*.preview.example.com', { candidates: ['berlin', 'tokyo'] });
const snapshot = signedSnapshot({ ...SIGNED, geoNames: [...EXAMPLE.geoNames, PREVIEWS] });
const HOST = '0123456789ab--blog.preview.example.com';
const keys = trustKeys(
  askSigned(snapshot, SIGNED.origin, 'DNSKEY'),
  [dsOfKey(SIGNED, KEY)],
  NOW_MS / 1000,
);

test.each([
  { name: HOST, type: 'A', answers: 1 },
  { name: HOST, type: 'TXT', answers: 0 },
  { name: `deeper.${HOST}`, type: 'A', answers: 1 },
  { name: 'preview.example.com', type: 'A', answers: 0 },
  { name: '*.preview.example.com', type: 'A', answers: 1 },
])(
  '$name $type is answered from a wildcard and signed as it must be',
  ({ name, type, answers }) => {
    for (const flags of [DO, DO | CO]) {
      const reply = askSigned(snapshot, name, type, { flags });
      expect(faultsOf(reply, keys, NOW_MS / 1000)).toEqual([]);
      expect(reply.answer.filter((record) => record.type !== 46)).toHaveLength(answers);
    }
  },
);
