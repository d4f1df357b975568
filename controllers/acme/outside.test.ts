import { expect, test } from 'vitest';
import { type DnsClient, DnsError, type DnsMessage, DnsType } from '../../runtime/dns/client.ts';
import { fakePublicDns } from '../../runtime/dns/fake-public-dns.ts';
import type { Scene } from '../test-scene.ts';
import { acmeScene, finish, issuanceOf, materialOf, order } from './test-acme.ts';

const MINUTE_MS = 60_000;
const SECONDARY = '192.0.2.53';
const zoneOf = (at: Scene) => at.world.records('zone')[0]?.[1].value;
const outside = (at: Scene) => at.world.records('acmeOrder')[0]?.[1].value.outside;

/** What a secondary says its version is; undefined: nothing. */
type Held = () => number | undefined;

function secondary(held: Held): DnsClient & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async ask({ name, type, server }): Promise<DnsMessage> {
      asked.push(`${server.address}:${server.port}`);
      const serial = held();
      if (serial === undefined) throw new DnsError('timeout', 'no answer');
      const text = `ns.example.com hostmaster.example.com ${serial} 1 1 1 1`;
      return {
        ...{ id: 1, kind: 'response', rcode: 0, source: 'authority', form: 'whole' },
        question: { name, type },
        answer: type === DnsType.SOA ? [{ name, type, ttlS: 1, text }] : [],
        ...{ authority: [], additional: [] },
      };
    },
  };
}

/** Whose name servers are ours and one of others, at SECONDARY. */
async function withSecondary(given: {
  readonly held: (at: Scene) => number | undefined;
  readonly acme?: object;
  readonly nameservers?: readonly string[];
  readonly lookups?: 'fail';
}): Promise<{ readonly at: Scene; readonly dns: ReturnType<typeof secondary> }> {
  const { acme = {}, nameservers = ['ns.other.test.'], lookups } = given;
  const publicDns = fakePublicDns();
  const names = nameservers.map((name) => name.replace(/\.$/, ''));
  publicDns.set('example.com', 'NS', names);
  publicDns.set('ns.other.test', 'A', lookups === 'fail' ? 'fails' : [SECONDARY]);
  const scenes: Scene[] = [];
  const dns = secondary(() => scenes.map(given.held)[0]);
  const at = await acmeScene({ publicDns, dns, nameservers, acme });
  scenes.push(at);
  // Twice, as while its key is changed.
  const entry = { address: SECONDARY, port: 5353 };
  await at.configure('Zone', 'example', { secondaries: [entry, { ...entry, key: 'next' }] });
  return { at, dns };
}

test('a secondary of others that has the version with the proof holds nothing up', async () => {
  const { at, dns } = await withSecondary({ held: (scene) => zoneOf(scene)?.serial });
  await order(at, { ms: 5_000 });
  expect(materialOf(at)).toBeDefined();
  expect(new Set(dns.asked)).toEqual(new Set([`${SECONDARY}:5353`]));
  await at.end();
});

test('one that is behind is waited for by name, and the CA is not asked before', async () => {
  let isBehind = true;
  const { at } = await withSecondary({
    held: (scene) => (isBehind ? 100 : zoneOf(scene)?.serial),
  });
  await order(at, { ms: 3 * MINUTE_MS });
  expect(at.ca.asked.answerChallenge).toBeUndefined();
  expect(outside(at)).toEqual([
    expect.stringMatching(/^192\.0\.2\.53 \(has 100 instead of \d+\)$/),
  ]);
  // Other changes of the zone must not make the wait longer.
  await at.create('Certificate', 'other', { names: ['x.example.com'], issuer: 'internal' });
  isBehind = false;
  await finish(at, MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  expect(at.events.notes.map(({ reason }) => reason)).not.toContain('ProofNotEverywhere');
  await at.end();
});

test.each([
  { when: 'is silent', held: undefined, waitsMs: 2 * MINUTE_MS },
  { when: 'never follows', held: 7, waitsMs: 10 * MINUTE_MS },
])('one that $when is waited for within a bound, and then told of', async ({ held, waitsMs }) => {
  const { at } = await withSecondary({ held: () => held });
  await order(at, { ms: waitsMs - 20_000 });
  expect(at.ca.asked.answerChallenge).toBeUndefined();
  await finish(at, MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  const note = at.events.notes.find(({ reason }) => reason === 'ProofNotEverywhere');
  expect(note?.message).toContain(SECONDARY);
  expect(issuanceOf(at)?.failures).toBe(0);
  await at.end();
});

test.each([
  { when: 'the NS records do not name it', given: { nameservers: ['ns.example.com.'] } },
  { when: 'dom sees another DNS', given: { acme: { selfCheck: 'none' } } },
])('nobody outside is waited for when $when', async ({ given }) => {
  const { at, dns } = await withSecondary({ held: () => undefined, ...given });
  await order(at, { ms: 10_000 });
  expect(materialOf(at)).toBeDefined();
  expect(dns.asked).toEqual([]);
  await at.end();
});

test('where nobody can tell who the name servers are, all secondaries are waited for', async () => {
  const { at, dns } = await withSecondary({ held: () => 7, lookups: 'fail' });
  await order(at, { ms: 10_000 });
  expect(dns.asked.length).toBeGreaterThan(0);
  expect(materialOf(at)).toBeUndefined();
  await at.end();
});
