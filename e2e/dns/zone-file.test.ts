import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { absoluteName } from '../../api/records.ts';

import { parseZoneFile, type ZoneFileSpec } from '../../api/zone-file/parse.ts';
import { randomZone } from '../../api/zone-file/random-zone.fixture.ts';
import { writeZoneFile } from '../../api/zone-file/write.ts';
import { programsMissing } from './support/programs.ts';

const BIND = '/usr/bin/named-compilezone';
const NSD = '/usr/sbin/nsd-checkzone';
const KNOT = '/usr/sbin/knotc';
const ORIGIN = 'example.com';
const EXTRAS = { serial: 2_026_112_100, nameservers: [], added: [], comments: ['the end'] };

const missing = programsMissing([BIND, KNOT, NSD]);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

/** Each record by itself, whatever the order and the default TTL of its file. */
function recordsOf(spec: ZoneFileSpec): readonly string[] {
  const sets = spec.records.flatMap(({ name, type, ttl, values }) =>
    values.map((value) => `${absoluteName(name, ORIGIN)} ${ttl ?? spec.ttl} ${type} ${value}`),
  );
  return [...sets, ...(spec.nameservers ?? []).map((name) => `NS ${name}`)].toSorted();
}

function specOf(text: string, options: { readonly origin?: string } = {}): ZoneFileSpec {
  const outcome = parseZoneFile(text, options);
  if (outcome.kind === 'zone') return outcome.spec;
  throw new Error(outcome.errors.map(({ line, message }) => `${line}: ${message}`).join('\n'));
}

function knotConfig({ folder, file }: { readonly folder: string; readonly file: string }): string {
  return `
server:
    rundir: ${folder}
database:
    storage: ${folder}
zone:
  - domain: ${ORIGIN}
    file: ${file}
`;
}

describe.skipIf(missing !== undefined)(`zone files beside BIND, NSD and Knot${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-zone-file-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    'zone %i: each reads what we write, and we read what BIND writes of it',
    (seed) => {
      const ours = join(folder, `${seed}.zone`);
      const theirs = join(folder, `${seed}.bind`);
      const text = writeZoneFile(randomZone(seed), EXTRAS);
      writeFileSync(ours, text);
      const nsd = spawnSync(NSD, [ORIGIN, ours], { encoding: 'utf8' });
      expect(`${nsd.stdout}${nsd.stderr}`).toContain('zone example.com is ok');
      const config = join(folder, `${seed}.conf`);
      writeFileSync(config, knotConfig({ folder, file: ours }));
      const knot = spawnSync(KNOT, ['-c', config, 'zone-check'], { encoding: 'utf8' });
      expect(knot).toMatchObject({ status: 0, stderr: '' });
      // Names are of any bytes, and addresses of their hosts are not asked for.
      const style = seed % 2 === 0 ? 'relative' : 'full';
      const options = ['-i', 'none', '-k', 'ignore', '-n', 'ignore', '-s', style, '-o', theirs];
      const bind = spawnSync(BIND, [...options, ORIGIN, ours], { encoding: 'utf8' });
      expect(bind.stdout).toContain('OK');
      const back = specOf(readFileSync(theirs, 'utf8'), { origin: ORIGIN });
      expect(recordsOf(back)).toEqual(recordsOf(specOf(text)));
      expect(back.soa).toEqual(specOf(text).soa);
    },
  );
});
