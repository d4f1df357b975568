import type { ExpectedZone, ParentServer, Seen, ServerFacts, ZoneFacts } from './facts.ts';
import { compare, type Finding, problem, WAIT } from './finding.ts';
import { judgeDs, judgeSigning, tellOf } from './judge-dnssec.ts';

export interface ZoneVerdict {
  readonly findings: readonly Finding[];
  /** What the registrar should hold, as lines of a zone file. */
  readonly registrar: RegistrarLines;
}

export interface RegistrarLines {
  readonly ns: readonly string[];
  readonly glue: readonly string[];
  readonly ds: readonly string[];
}

/** What agrees, what does not, and how to mend it: pure. */
export function judgeZone(expected: ExpectedZone, facts: ZoneFacts, nowMs: number): ZoneVerdict {
  const { parent } = facts;
  return {
    findings: [
      ...judgeExpected(expected),
      ...judgeParent(expected, facts),
      ...facts.servers.flatMap((server) => [
        ...judgeServer(expected, server),
        ...judgeSigning(expected, server, { parent, nowMs }),
      ]),
      ...judgeSerials(expected, facts.servers),
    ],
    registrar: registrarLines(expected),
  };
}

/** 0: fine, 1: problems, 2: could not tell. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ verdict }) => verdict === 'problem')) return 1;
  return findings.some(({ verdict }) => verdict === 'unknown') ? 2 : 0;
}

/** Exactly what to tell the registrar. */
export function registrarLines({ origin, nameservers, ds }: ExpectedZone): RegistrarLines {
  return {
    ns: nameservers.map(({ name }) => `${origin}. IN NS ${name}.`),
    glue: nameservers
      .filter(({ glue }) => glue === 'needed')
      .flatMap(({ name, addresses }) =>
        addresses.map((address) => `${name}. IN ${familyOf(address)} ${address}`),
      ),
    ds: ds.map((text) => `${origin}. IN DS ${text}`),
  };
}

function judgeExpected({ origin, nameservers }: ExpectedZone): readonly Finding[] {
  if (nameservers.length === 0) {
    const mend = 'let a node with the role nameserver join, or list spec.nameservers';
    return [problem(`${origin} has no nameserver`, mend)];
  }
  const lost = nameservers.filter(
    ({ glue, addresses }) => glue === 'needed' && addresses.length === 0,
  );
  return [
    ...(nameservers.length > 1
      ? []
      : [
          problem(
            `${origin} has one nameserver only (RFC 1034 §4.1 asks for two)`,
            'let another node with the role nameserver join',
          ),
        ]),
    ...lost.map(({ name }) =>
      problem(
        `nobody knows an address of ${name}`,
        `add an A or AAAA record for ${name} to the zone`,
      ),
    ),
  ];
}

function judgeParent(expected: ExpectedZone, { parent }: ZoneFacts): readonly Finding[] {
  if (parent.kind === 'unknown') {
    const mend = 'give a resolver that asks others: --resolver ADDRESS';
    return [{ verdict: 'unknown', message: `the parent zone was not found: ${parent.why}`, mend }];
  }
  const found = parent.servers.map((one) => judgeParentServer(expected, parent.zone, one));
  // Each nameserver of the parent says the same as a rule: once is enough for a person.
  const merged = new Map<string, Finding>();
  for (const finding of found.flat()) merged.set(`${finding.verdict} ${finding.message}`, finding);
  const answered = parent.servers.some(({ seen }) => seen.kind === 'answered');
  const silent = `no nameserver of ${parent.zone} answers`;
  return [
    ...merged.values(),
    ...(answered ? [] : [{ verdict: 'unknown', message: silent } as const]),
  ];
}

function judgeParentServer(
  expected: ExpectedZone,
  zone: string,
  { name, server, seen }: ParentServer,
): readonly Finding[] {
  if (seen.kind === 'silent') {
    // The parent's own trouble; the others tell.
    return [
      { verdict: 'fine', message: `${name} (${server.address}) of ${zone} is silent: ${seen.why}` },
    ];
  }
  const { origin, nameservers } = expected;
  const mend = tellOf(expected, zone);
  if (seen.nameservers.length === 0) return [problem(`${zone} does not delegate ${origin}`, mend)];
  return [
    compare(`${zone} delegates ${origin} to`, {
      ...{ seen: seen.nameservers, mend },
      wanted: nameservers.map((one) => one.name),
    }),
    ...nameservers
      .filter((one) => one.glue === 'needed' && seen.nameservers.includes(one.name))
      .map((one) =>
        compare(`${zone} has glue for ${one.name}:`, {
          ...{ seen: seen.glue.get(one.name) ?? [], mend },
          wanted: one.addresses,
        }),
      ),
    ...judgeDs(expected, zone, seen.ds),
  ];
}

function judgeServer(expected: ExpectedZone, facts: ServerFacts): readonly Finding[] {
  const place = `${facts.name} (${facts.server.address})`;
  const { udp, tcp, tls } = facts.byTransport;
  const answers = [udp, tcp].map((seen, index) =>
    judgeSeen(seen, place, index === 0 ? 'UDP' : 'TCP'),
  );
  const wanted = expected.nameservers.map(({ name }) => name);
  const own =
    facts.nameservers === undefined || facts.nameservers.length === 0
      ? []
      : [compare(`${place} says NS`, { seen: facts.nameservers, wanted, mend: WAIT })];
  // DNS over TLS is not for every server: only that it is there is worth a word.
  const overTls = tls.kind === 'answered' ? [judgeSeen(tls, place, 'TLS')] : [];
  return [...answers, ...overTls, ...own];
}

function judgeSeen(seen: Seen, place: string, over: string): Finding {
  if (seen.kind === 'silent') {
    if (seen.silence === 'no-route') {
      return { verdict: 'unknown', message: `${place} over ${over}: ${seen.why}` };
    }
    const mend = 'is sub running there, and port 53 open for UDP and TCP?';
    return problem(`${place} does not answer over ${over}: ${seen.why}`, mend);
  }
  if (seen.rcode !== 0 || seen.serial === undefined) {
    return problem(`${place} does not serve the zone over ${over} (rcode ${seen.rcode})`, WAIT);
  }
  if (seen.source !== 'authority') {
    const mend = 'something answers in its place, such as a resolver on the way';
    return problem(`${place} is no authority for the zone over ${over}`, mend);
  }
  return { verdict: 'fine', message: `${place} answers over ${over}, serial ${seen.serial}` };
}

/** All serve one version, and it is the one that dom made (INV-22). */
function judgeSerials(
  { serial: wanted, origin }: ExpectedZone,
  servers: readonly ServerFacts[],
): readonly Finding[] {
  const serials = servers
    .flatMap(({ byTransport: { udp, tcp } }) => [udp, tcp])
    .flatMap((seen) => (seen.kind === 'answered' ? (seen.serial ?? []) : []));
  const seen = [...new Set(serials)].toSorted((a, b) => a - b);
  if (seen.length === 0) return [];
  if (seen.length > 1) return [problem(`serials differ: ${seen.join(', ')}`, WAIT)];
  if (wanted !== undefined && seen[0] !== wanted) {
    return [problem(`serial ${seen[0]} is served, and dom has ${wanted} of ${origin}`, WAIT)];
  }
  return [{ verdict: 'fine', message: `every nameserver has serial ${seen[0]}` }];
}

function familyOf(address: string): 'A' | 'AAAA' {
  return address.includes(':') ? 'AAAA' : 'A';
}
