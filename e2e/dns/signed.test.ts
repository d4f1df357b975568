import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ZoneKey } from '../../proto/gen/b8s/v1/plan.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { type OurServer, startOurs } from './support/ours.ts';
import { programsMissing } from './support/programs.ts';
import { DELV, KEY, ORIGIN, signedZones, validate, YOUNG } from './support/signed.ts';

const ADDRESS = `127.${20 + (process.pid % 200)}.3.1`;
const NEGATIVE = '; negative response, fully validated';
const POSITIVE = '; fully validated';

const missing = programsMissing([DELV]);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`a signed zone before BIND's validator${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-signed-'));
  let ours: OurServer | undefined;

  beforeAll(async () => {
    const [port = 0] = await freePortsAt([ADDRESS], 1);
    ours = startOurs({ folder, address: ADDRESS, port });
    await ours.serve(signedZones());
  });
  afterAll(async () => {
    await ours?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function said(name: string, type: string, trusted: ZoneKey = KEY): Promise<string> {
    if (ours === undefined) throw new Error('no server');
    const whole = name === '@' ? ORIGIN : `${name}.${ORIGIN}`;
    const anchorFile = join(folder, `${trusted.keyTag}.anchor`);
    return validate(ours, { name: whole, type, trusted, anchorFile });
  }

  test.each([
    { types: 'SOA NS MX CAA DNSKEY CDS CDNSKEY', names: '@', says: POSITIVE },
    {
      types: 'A',
      names: 'mail www deep out site x.any order x.wild a.b.wild *.wild',
      says: POSITIVE,
    },
    { types: 'TXT', names: 'big a.ent x.wild', says: POSITIVE },
    { types: 'SRV', names: '_sip._udp', says: POSITIVE },
    { types: 'DS', names: 'secure', says: POSITIVE },
    { types: 'A', names: '@ no x.mail ent _udp any wild new a.ent', says: NEGATIVE },
    { types: 'AAAA', names: 'mail site x.wild', says: NEGATIVE },
    { types: 'MX', names: 'mail ent x.wild site', says: NEGATIVE },
    { types: 'DS', names: 'child self mail no x.wild', says: NEGATIVE },
  ])('$types of $names', async ({ types, names, says }) => {
    for (const name of names.split(' '))
      for (const type of types.split(' ')) expect(await said(name, type)).toContain(says);
  });

  const [old, young] = [KEY, YOUNG];
  test.each<{ phase: string; keys: readonly ZoneKey[]; trusted: readonly ZoneKey[] }>([
    { phase: 'signing', keys: [{ ...old, ds: '' }], trusted: [old] },
    {
      phase: 'publishing',
      keys: [old, { ...young, role: 'published', ds: '' }],
      trusted: [old, young],
    },
    {
      phase: 'swapping',
      keys: [
        { ...old, ds: '' },
        { ...young, role: 'published' },
      ],
      trusted: [old, young],
    },
    { phase: 'retiring', keys: [{ ...old, role: 'retired', ds: '' }, young], trusted: [young] },
    { phase: 'withdrawing', keys: [{ ...old, ds: 'delete' }], trusted: [old] },
  ])('while $phase, with every DS record that the parent may hold', async ({ keys, trusted }) => {
    await ours?.serve(signedZones(keys));
    for (const key of trusted) {
      expect(await said('site', 'A', key)).toContain(POSITIVE);
      expect(await said('@', 'DNSKEY', key)).toContain(POSITIVE);
      expect(await said('no', 'A', key)).toContain(NEGATIVE);
    }
  });

  test('a key that the zone does not have vouches for nothing', async () => {
    await ours?.serve(signedZones());
    const answer = await said('mail', 'A', YOUNG);
    expect(answer).not.toContain('fully validated');
    expect(answer).toContain('broken trust chain');
  });
});
