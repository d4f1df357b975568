import { describe, expect, test } from 'vitest';
import { dsOf, hostWire } from '../../../runtime/dns/dnssec.ts';
import { type FixtureKey, fixtureKey } from '../../../runtime/dns/dnssec-sign.fixture.ts';
import { testCli } from '../../testing/test-cli.ts';
import {
  clientOf,
  type FakeSigning,
  type Internet,
  RESOLVER,
  soundInternet,
} from './internet.fixture.ts';

const [OLD, NEW] = [fixtureKey('old'), fixtureKey('new')];
const ds = ({ publicKey }: FixtureKey) => dsOf(hostWire('example.com'), publicKey);
const dsText = (key: FixtureKey): string => {
  const { keyTag, algorithm, digestType, digest } = ds(key);
  return `${keyTag} ${algorithm} ${digestType} ${digest}`;
};
const statusOf = (phase: string, keys: readonly FixtureKey[], wanted: readonly FixtureKey[]) => ({
  dnssec: { phase, keys: keys.map(({ keyTag }) => ({ keyTag, role: 'active' })) },
  ds: wanted.map(ds),
});

interface Given {
  readonly status: object;
  readonly parentDs?: readonly number[];
  readonly atParent: readonly FixtureKey[];
  readonly signing?: Partial<FakeSigning>;
  readonly change?: (internet: Internet) => void;
  readonly zones?: readonly string[];
}

/** What is said beyond delegation and transports, and the exit code. */
async function checked({ status, parentDs, atParent, signing, change, zones = [] }: Given) {
  const cli = testCli();
  const internet = soundInternet();
  internet.delegation.ds = atParent.map(dsText);
  const signs = { keys: [OLD], signer: OLD, cds: [dsText(OLD)], nowMs: cli.clock.nowMs() };
  for (const server of Object.values(internet.servers)) server.signing = { ...signs, ...signing };
  change?.(internet);
  cli.dns = { client: clientOf(internet), resolvers: [{ address: RESOLVER, port: 53 }] };
  const put = (kind: string, name: string, rest: object): void => {
    const common = { apiVersion: 'b8s.dev/v1', kind, metadata: { namespace: 'default', name } };
    cli.api.put({ ...common, ...rest } as never);
  };
  const dnssec = { mode: 'signed', ...(parentDs && { parentDs }) };
  const nameservers = ['a.ns.example.com', 'b.ns.example.com'];
  put('Zone', 'example-com', {
    spec: { origin: 'example.com', records: [], dnssec },
    status: { serial: 7, nameservers, ...status },
  });
  for (const name of zones) put('Zone', `zone-${name}`, { spec: { origin: name, records: [] } });
  const addresses = { a: [['192.0.2.1'], []], b: [['192.0.2.2'], ['2001:db8::2']] } as const;
  for (const [name, [ipv4, ipv6]] of Object.entries(addresses)) {
    const metadata = { namespace: '', name };
    const ports = { http: 80, https: 443, dns: 53 };
    put('Node', name, { metadata, spec: { roles: ['nameserver'], ipv4, ipv6, ports } });
  }
  const { out, code } = await cli.b8sctl('dns check example-com');
  return { out, code };
}

const STEADY = { status: statusOf('steady', [OLD], [OLD]), parentDs: [OLD.keyTag] };

test('a signed zone: keys, signatures, CDS and the DS of the parent agree', async () => {
  const { out, code } = await checked({ ...STEADY, atParent: [OLD] });
  for (const line of [
    `ok      com has DS for example.com: ${dsText(OLD)}\n`,
    `ok      a.ns.example.com (192.0.2.1) has keys ${OLD.keyTag}\n`,
    `ok      a.ns.example.com (192.0.2.1) signs the keys with key ${OLD.keyTag}, good until 2027-01-22T12:00Z\n`,
    `ok      b.ns.example.com (2001:db8::2) signs the zone with key ${OLD.keyTag}, good until 2027-01-22T12:00Z\n`,
    `ok      a.ns.example.com (192.0.2.1) asks the parent for DS ${dsText(OLD)}\n`,
  ])
    expect(out).toContain(line);
  expect(code).toBe(0);
});

describe('what a person is told to do', () => {
  test.each<Given & { when: string; says: readonly string[]; code: number }>([
    {
      when: 'the parent has the DS, and dom was not told',
      ...STEADY,
      parentDs: undefined as never,
      atParent: [OLD],
      says: [`→ say so: set spec.dnssec.parentDs to [${OLD.keyTag}]`],
      code: 0,
    },
    {
      when: 'the old DS is to make way for the new one',
      status: statusOf('swapping', [OLD, NEW], [NEW]),
      parentDs: [OLD.keyTag],
      atParent: [OLD],
      signing: { keys: [OLD, NEW], cds: [dsText(NEW)] },
      says: [
        `PROBLEM com has DS for example.com: ${dsText(OLD)}; ${dsText(NEW)} missing, ${dsText(OLD)} too many\n        → give the lines below to the registrar`,
        `  example.com. IN DS ${dsText(NEW)}\n`,
        `ok      a.ns.example.com (192.0.2.1) signs the keys with key ${OLD.keyTag}`,
      ],
      code: 1,
    },
    {
      when: 'the parent is a Zone of this cluster',
      ...STEADY,
      atParent: [],
      zones: ['com'],
      says: ['nobody can tell\n        → declare the lines below in the Zone zone-com'],
      code: 1,
    },
    {
      when: 'signing is to end, and the parent still has a DS',
      status: statusOf('withdrawing', [OLD], []),
      atParent: [OLD],
      signing: { cds: ['0 0 0 00'] },
      says: [
        `PROBLEM signing of example.com is to end, and com has DS ${dsText(OLD)}`,
        '→ let the registrar remove every DS record; until then it stays signed',
        'ok      a.ns.example.com (192.0.2.1) asks the parent for DS 0 0 0 00',
      ],
      code: 1,
    },
    {
      when: 'signing is to end, and the parent has none any more',
      status: statusOf('withdrawing', [OLD], []),
      parentDs: [OLD.keyTag],
      atParent: [],
      signing: { cds: ['0 0 0 00'] },
      says: ['of which signing is to end\n        → say so: set spec.dnssec.parentDs to []'],
      code: 0,
    },
  ])('$when', async ({ says, code, ...given }) => {
    const outcome = await checked(given);
    for (const text of says) expect(outcome.out).toContain(text);
    expect(outcome.code).toBe(code);
  });
});

describe('what makes resolvers refuse a zone', () => {
  const place = 'PROBLEM a.ns.example.com (192.0.2.1)';
  test.each<Partial<Given> & { when: string; says: string }>([
    {
      when: 'one nameserver does not sign',
      change: ({ servers }) => void delete servers['192.0.2.1']?.signing,
      says: `${place} has no keys of example.com: it does not sign\n        → update sub there`,
    },
    {
      when: 'it signs with another key',
      signing: { keys: [NEW], signer: NEW },
      says: `${place} has keys ${NEW.keyTag}; ${OLD.keyTag} missing, ${NEW.keyTag} too many`,
    },
    {
      when: 'no DS leads to a key',
      atParent: [NEW],
      says: 'PROBLEM no DS of the parent is of a key of a.ns.example.com (192.0.2.1)',
    },
    {
      when: 'the key that the parent knows does not sign the keys',
      signing: { keys: [OLD, NEW], signer: NEW },
      says: `${place} signs the keys, but the signature is of key ${NEW.keyTag}, which is not there`,
    },
    {
      when: 'a signature has ended',
      signing: { given: { untilS: -3600 } },
      says: `${place} signs the zone, but the signature ended at 2027-01-15T11:00:00.000Z\n        → compare the clocks`,
    },
    {
      when: 'a signature is soon to end',
      signing: { given: { untilS: 2 * 86_400 } },
      says: `${place} signs the keys with key ${OLD.keyTag}, good until 2027-01-17T12:00Z, which is soon`,
    },
    {
      when: 'a signature has not begun',
      signing: { given: { fromS: 60 } },
      says: `${place} signs the zone, but the signature has not begun`,
    },
    {
      when: 'a nameserver asks the parent for what dom does not want',
      signing: { cds: [dsText(NEW)] },
      says: `${place} asks the parent for DS ${dsText(NEW)}; ${dsText(OLD)} missing`,
    },
  ])('$when', async ({ says, when: _, ...given }) => {
    const outcome = await checked({ ...STEADY, atParent: [OLD], ...given });
    expect(outcome.out).toContain(says);
    expect(outcome.code).toBe(1);
  });
});
