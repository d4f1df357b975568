import { answerQuery } from '../../agent/dns/answer.ts';
import { opt, queryBytes } from '../../agent/dns/dns.fixture.ts';
import { ecdsaSign } from '../../agent/dns/dnssec/ecdsa.ts';
import { Signatures } from '../../agent/dns/dnssec/signatures.ts';
import {
  askSigned,
  DO,
  JAPAN,
  KEY,
  NOW_MS,
  signedSnapshot,
} from '../../agent/dns/dnssec/signed.fixture.ts';
import { parseZoneKey } from '../../runtime/dns/dnssec.ts';

/**
 * Answers and signatures a second on one core, without a socket: `node bench/dns/dnssec.ts 10`
 * takes ten seconds. Each row is the best of several rounds.
 */
const ROUNDS = 5;
const seconds = Number(process.argv[2] ?? 4);

const snapshot = signedSnapshot();
const signatures = new Signatures(ecdsaSign);
const context = { snapshot, client: JAPAN, nowMs: NOW_MS, signatures };
const key = parseZoneKey(KEY.privatePem);
const data = new Uint8Array(120);

const ask = (name: string, type: string, flags: number = DO): Buffer =>
  queryBytes(name, type, opt([], { flags }));
const answering = (query: Buffer) => (): unknown => answerQuery(query, context);
/** As someone who makes names up: the name in each query is another. */
const inventing =
  (query: Buffer) =>
  (index: number): unknown => {
    query.write(index.toString(36).padStart(8, '0').slice(-8), 13, 'latin1');
    return answerQuery(query, context);
  };

const rows: Readonly<Record<string, (index: number) => unknown>> = {
  'a signature alone': () => ecdsaSign(data, key),
  'static A, unsigned': answering(ask('mail.example.com', 'A', 0)),
  'static A, signed': answering(ask('mail.example.com', 'A')),
  'geo A, unsigned': answering(ask('site.example.com', 'A', 0)),
  'geo A, signed': answering(ask('site.example.com', 'A')),
  'no such name, signed, the same again': answering(ask('no.example.com', 'A')),
  'no such name, signed, each another': inventing(ask('xxxxxxxx.example.com', 'A')),
  'wildcard A, signed, each another': inventing(ask('xxxxxxxx.wild.example.com', 'A')),
};

if (askSigned(snapshot, 'example.com', 'SOA').answer.length !== 2) throw new Error('not signed');
const roundMs = (1000 * seconds) / ROUNDS / Object.keys(rows).length;
let index = 0;
for (const [row, run] of Object.entries(rows)) {
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < roundMs; count += 1) run((index += 1));
    best = Math.max(best, (1000 * count) / (performance.now() - start));
  }
  console.log(`${row.padEnd(40)} ${Math.round(best).toLocaleString('en')} a second`);
}
