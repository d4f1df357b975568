import { writeFileSync } from 'node:fs';
import { KEY, SIGNED, zoneKey } from '../../../agent/dns/dnssec/signed.fixture.ts';
import { NODES } from '../../../agent/dns/example.fixture.ts';
import type { DnsPlaneSnapshot } from '../../../agent/plane/plane.ts';
import type { ZoneKey } from '../../../proto/gen/b8s/v1/plan.ts';
import { dsOf, dsText, hostWire } from '../../../runtime/dns/dnssec.ts';
import { run } from '../../support/processes.ts';
import type { Server } from './exchange.ts';

export const DELV = '/usr/bin/delv';
export const ORIGIN: string = SIGNED.origin;
export { KEY };
export const YOUNG: ZoneKey = zoneKey('the next one');

/**
 * `example.com` with something of everything: wildcards, empty non-terminals, aliases, delegations
 * with and without DS, names by geography; for `OurServer.serve`.
 */
export function signedZones(keys: readonly ZoneKey[] = [KEY]): Partial<DnsPlaneSnapshot> {
  return { zones: [{ ...SIGNED, keys }], nodes: NODES };
}

/** A line for the `server:` clause of unbound.conf. */
export function unboundAnchor(key: ZoneKey = KEY): string {
  return `  trust-anchor: "${ORIGIN}. DS ${dsText(dsOf(hostWire(ORIGIN), key.publicKey))}"\n`;
}

/** What delv says of an answer when it trusts nothing but the DS record of one key. */
export async function validate(
  server: Server,
  asked: {
    readonly name: string;
    readonly type: string;
    readonly trusted: ZoneKey;
    readonly anchorFile: string;
  },
): Promise<string> {
  const { keyTag, algorithm, digestType, digest } = dsOf(hostWire(ORIGIN), asked.trusted.publicKey);
  const anchor = `"${ORIGIN}." static-ds ${keyTag} ${algorithm} ${digestType} "${digest}";`;
  writeFileSync(asked.anchorFile, `trust-anchors { ${anchor} };\n`);
  const place = [`@${server.address}`, '-p', String(server.port), '-a', asked.anchorFile];
  const said = await run(DELV, [...place, `+root=${ORIGIN}`, asked.name, asked.type]);
  return said.stdout + said.stderr;
}
