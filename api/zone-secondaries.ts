import { ipv4Problem, ipv6Problem, isIpv6 } from './address.ts';
import { group, integer, list, optional, text } from './field.ts';
import type { Violation } from './kind.ts';
import { objectNameProblem } from './names.ts';
import { aboutField, check } from './rules.ts';
import type { ZoneSpec } from './zone.ts';

/** `spec.secondaries` of a Zone: who may take it whole, and is told of new versions. */

export const SECONDARIES_MAX = 16;

const secondarySchema = group('A name server of somebody else that serves the zone, too.', {
  address: text('The address that it asks from and is told at, e.g. 192.0.2.53.'),
  port: integer('Where it is told of new versions.', {
    minimum: 1,
    maximum: 65_535,
    default: 53,
  }),
  key: optional(
    text(
      'The transfer key that it signs with (TSIG), by name; see b8sctl transfer-key. Left out: the address alone is enough.',
      { maxLength: 253 },
    ),
  ),
});

export const secondariesSchema = list(
  'Who may take the whole zone by transfer (AXFR and IXFR), and is told of new versions (NOTIFY). They cannot route: of a Site they answer with every edge that is up.',
  secondarySchema,
  { maxItems: SECONDARIES_MAX, uniqueItems: true },
);

export function secondaryViolations({
  secondaries = [],
  dnssec,
}: Pick<ZoneSpec, 'secondaries' | 'dnssec'>): readonly Violation[] {
  const violations = secondaries.flatMap(({ address, key }, index) => [
    ...check(['spec', 'secondaries', index, 'address'], address, addressProblem),
    ...(key === undefined
      ? []
      : check(['spec', 'secondaries', index, 'key'], key, objectNameProblem)),
  ]);
  if (secondaries.length === 0 || dnssec?.mode !== 'signed') return violations;
  const message =
    'cannot go together with spec.dnssec: answers are signed as they are made, and a secondary would need every signature beforehand; remove one of them';
  return [...violations, aboutField(['spec', 'secondaries'], message)];
}

function addressProblem(address: string): string | undefined {
  if (isIpv6(address)) return ipv6Problem(address);
  return ipv4Problem(address);
}
