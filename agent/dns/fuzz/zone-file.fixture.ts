import { isDeepStrictEqual } from 'node:util';
import { parseZoneFile } from '../../../api/zone-file/parse.ts';
import { randomZone } from '../../../api/zone-file/random-zone.fixture.ts';
import { writeZoneFile } from '../../../api/zone-file/write.ts';
import type { FuzzTarget } from './guided.fixture.ts';

const EXTRAS = { serial: 1, nameservers: ['ns1.example.net'], added: [], comments: [] };

const SOA = '$ORIGIN example.com.\n@ IN SOA ns1.example.com. h.example.com. 1 1h 10m 2w 5m\n';

const WORDS = [
  ...['(', ')', '"', '\\', ';', '\n', '\t', '@', '*', '.', '$ORIGIN ', '$TTL 1h\n', '$INCLUDE x\n'],
  ...[
    '\\000',
    '\\032',
    '\\255',
    '\\256',
    'IN ',
    'CH ',
    '1w2d3h4m5s ',
    '4294967296 ',
    '\\# 4 0a000001',
  ],
  ...['A 192.0.2.1\n', 'AAAA 2001:db8::1\n', 'TXT "a" "b"\n', 'MX 10 m\n', 'SVCB 1 . alpn=h2,h3\n'],
  ...['HTTPS 0 x\n', 'NAPTR 1 1 "s" "x" "" .\n', 'CAA 0 issue "x"\n', 'TYPE65280 \\# 1 00\n'],
];

/** Zone files: what is read can be written and read again; what cannot has a line for each error. */
export const zoneFileTarget: FuzzTarget = {
  name: 'zone-file',
  seeds: [
    ...WORDS.map((word) => Buffer.from(`${SOA}a ${word}`)),
    ...[1, 2, 3].map((seed) =>
      Buffer.from(writeZoneFile(randomZone(seed), EXTRAS)).subarray(0, 2000),
    ),
  ],
  words: WORDS.map((word) => Buffer.from(word)),
  bytesMax: 4000,
  check(input) {
    const text = input.toString('utf8');
    const lines = text.split('\n').length;
    const outcome = parseZoneFile(text);
    if (outcome.kind === 'errors') {
      const isPlaced = outcome.errors.every(({ line }) => line >= 1 && line <= lines);
      if (outcome.errors.length === 0 || !isPlaced) throw new Error('not so: errors have lines');
      return;
    }
    // What a file leaves out gets what b8s would serve, and has it from then on.
    const { nameservers = EXTRAS.nameservers, soa, origin } = outcome.spec;
    const mailbox = soa.mailbox ?? `hostmaster.${origin}`;
    const spec = { ...outcome.spec, nameservers, soa: { ...soa, mailbox } };
    const file = writeZoneFile(spec, EXTRAS);
    const again = parseZoneFile(file);
    if (again.kind === 'errors') {
      throw new Error(
        `not so: what was written can be read: ${JSON.stringify(again.errors)} ${file}`,
      );
    }
    if (!isDeepStrictEqual(again.spec, spec)) {
      throw new Error(`not so: what was read is the same once written: ${file}`);
    }
  },
};
