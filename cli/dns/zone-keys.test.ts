import { beforeEach, expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const DS = { keyTag: 4711, algorithm: 13, digestType: 2, digest: 'ab'.repeat(32) };

function putZone(dnssec: object | undefined, status: object = {}): void {
  const metadata = { namespace: 'default', name: 'z' };
  const spec = { origin: 'example.org', ...(dnssec && { dnssec }) };
  cli.api.put({ kind: 'Zone', metadata, spec, status });
}

const signed = (phase: string) => ({ dnssec: { phase, keys: [] }, ds: [DS] });

test('ds prints what registrars ask for', async () => {
  putZone({ mode: 'signed' }, signed('steady'));
  const { out, code } = await cli.b8sctl('zone ds z');
  expect(code).toBe(0);
  expect(out).toBe(`example.org. IN DS 4711 13 2 ${'AB'.repeat(32)}\n`);
});

test('ds says why there is none yet', async () => {
  const aspect = {
    type: 'DNSSEC',
    status: 'Unknown',
    reason: 'Signing',
    message: 'once a serves it',
  };
  const conditions = [{ ...aspect, lastTransitionTime: '2027-01-15T11:58:00Z' }];
  putZone({ mode: 'signed' }, { ds: [], conditions });
  const { out, error } = await cli.b8sctl('zone ds z');
  expect(out).toBe('');
  expect(error).toBe('No DS record: once a serves it\n');
});

test('roll-key asks for the next key, and leaves the rest as it is', async () => {
  putZone({ mode: 'signed', keyGeneration: 3, parentDs: [4711] }, signed('steady'));
  const { out, code } = await cli.b8sctl('zone roll-key z');
  expect(code).toBe(0);
  expect(out).toBe('zone.b8s.dev/z key 4 is made\n');
  const zone = cli.api.objects()[0] as Zone | undefined;
  expect(zone?.spec.dnssec).toMatchObject({ mode: 'signed', keyGeneration: 4, parentDs: [4711] });
});

test.each([
  { when: 'it is not signed', dnssec: undefined, phase: 'steady', error: 'is not signed: set' },
  { when: 'its keys change', dnssec: { mode: 'signed' }, phase: 'swapping', error: 'are swapping' },
])('roll-key refuses a zone when $when', async ({ dnssec, phase, error }) => {
  putZone(dnssec, signed(phase));
  const said = await cli.b8sctl('zone roll-key z');
  expect(said.code).toBe(1);
  expect(said.error).toContain(error);
});
