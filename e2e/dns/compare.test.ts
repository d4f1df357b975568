import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { AREA } from '../support/scene.ts';
import { describePair, outcomeOf, type Pair } from './support/compare.ts';
import { exchangeAll } from './support/exchange.ts';
import { generateQueries, type Query } from './support/generate.ts';
import { judge } from './support/judge.ts';
import { JUSTIFIED } from './support/justified.ts';
import { brokenLaws } from './support/laws.ts';
import { type OurServer, startOurs } from './support/ours.ts';
import {
  KNOT,
  NSD,
  programsMissing,
  startKnot,
  startNsd,
  stopServers,
} from './support/programs.ts';
import { testZones, zoneFile, zonePlan } from './support/zones.ts';

/** Another one by hand: B8S_DNS_SEED=7 B8S_DNS_QUERIES=50000 vitest run --project e2e e2e/dns/compare.test.ts */
const SEED = Number(process.env['B8S_DNS_SEED'] ?? 2026);
const QUERIES = Number(process.env['B8S_DNS_QUERIES'] ?? 6_000);
/** Of a failure, how many are shown. */
const SHOWN_MAX = 10;

const missing = programsMissing([NSD, KNOT]);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`answers beside NSD's and Knot's${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-compare-'));
  const zones = testZones(SEED);
  const queries = generateQueries(zones, { seed: SEED, count: QUERIES });
  const pairs: Pair[] = [];
  let ours: OurServer | undefined;

  beforeAll(async () => {
    const addresses = [1, 2, 3].map((host) => `127.${AREA}.1.${host}`);
    const [port = 0] = await freePortsAt(addresses, 1);
    const [ourAddress = '', nsdAddress = '', knotAddress = ''] = addresses;
    const files = zones.map((zone) => ({ origin: zone.origin, text: zoneFile(zone) }));
    ours = startOurs({ folder, address: ourAddress, port });
    await ours.serve({ zones: zones.map(zonePlan) });
    const nsd = await startNsd({ folder, address: nsdAddress, port, zones: files });
    const knot = await startKnot({ folder, address: knotAddress, port, zones: files });
    const [our, ...their] = await Promise.all(
      [ours, nsd, knot].map((server) => exchangeAll(server, queries)),
    );
    for (const [index, query] of queries.entries()) {
      for (const [which, server] of (['NSD', 'Knot'] as const).entries()) {
        const theirs = outcomeOf(their[which]?.[index]);
        pairs.push({ query, server, ours: outcomeOf(our?.[index]), theirs });
      }
    }
  });
  afterAll(async () => {
    await Promise.all([ours?.stop(), stopServers()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test(`${QUERIES} queries, seed ${SEED}: no difference but the justified ones`, () => {
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    let same = 0;
    for (const pair of pairs) {
      const { used, unexplained } = judge(pair);
      if (unexplained.length > 0) wrong.push(`${unexplained.join(', ')}: ${describePair(pair)}`);
      else if (used.length === 0) same += 1;
      for (const title of used) counts.set(title, (counts.get(title) ?? 0) + 1);
    }
    console.log(`${same} of ${pairs.length} answers are the same; justified differences:`);
    for (const [title, count] of counts) console.log(`${String(count).padStart(6)} ${title}`);
    expect(pairs.length).toBe(2 * QUERIES);
    expect(wrong.slice(0, SHOWN_MAX), `${wrong.length} differences`).toEqual([]);
  });

  test('whatever is asked, the answer keeps the laws that need no other server', () => {
    const broken = pairs
      .filter(({ server }) => server === 'NSD')
      .flatMap((pair) => brokenLaws(pair).map((law) => `${law}: ${describePair(pair)}`));
    expect(broken.slice(0, SHOWN_MAX), `${broken.length} broken`).toEqual([]);
  });

  test('every kind of query was among them', () => {
    const counted = (is: (query: Query) => boolean): number => queries.filter(is).length;
    expect(counted(({ transport }) => transport === 'tcp')).toBeGreaterThan(QUERIES / 10);
    expect(counted(({ udpSizeBytes }) => udpSizeBytes !== undefined)).toBeGreaterThan(QUERIES / 3);
    expect(counted(({ klass }) => klass !== 1)).toBeGreaterThan(QUERIES / 100);
    expect(counted(({ opcode }) => opcode !== 0)).toBeGreaterThan(QUERIES / 100);
    expect(counted(({ form }) => form !== 'well-formed')).toBeGreaterThan(QUERIES / 20);
    const rcodes = new Set(
      pairs.map(({ ours: our }) => (our.kind === 'reply' ? our.message.rcode : our.kind)),
    );
    // NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED, BADVERS, and nothing at all.
    for (const rcode of [0, 1, 3, 4, 5, 16, 'silent']) expect(rcodes).toContain(rcode);
  });
});

test('docs/dns.md has each justified difference, with its RFC', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/dns.md'), 'utf8');
  for (const { title, rfc, why } of JUSTIFIED)
    expect(docs).toContain(`| ${title} | ${rfc} | ${why}`);
});
