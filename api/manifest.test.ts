import { expect, test } from 'vitest';
import {
  ALIASES_MAX,
  formatViolation,
  MANIFEST_BYTES_MAX,
  type ManifestDocument,
  parseManifests,
} from './manifest.ts';
import { validateObject } from './validate.ts';

/** Everything that is wrong with a manifest, as a person reads it. */
function complaints(text: string, source = 'site.yaml'): readonly string[] {
  return parseManifests(text, source).flatMap(complaintsOf);
}

function complaintsOf(document: ManifestDocument): readonly string[] {
  if (document.kind === 'error') return [document.message];
  const validation = validateObject(document.raw);
  if (validation.kind === 'valid') return [];
  return validation.violations.map((violation) => formatViolation(violation, document));
}

function manifest(kind: string, name: string, spec: string): string {
  const head = ['apiVersion: b8s.dev/v1', `kind: ${kind}`, 'metadata:', `  name: ${name}`, 'spec:'];
  return [...head, ...spec.split('\n').map((line) => `  ${line}`)].join('\n');
}

const site = (spec: string): string =>
  manifest('Site', 'blog', `hosts: [blog.example.com]\n${spec}`);
const node = (spec: string): string => manifest('Node', 'london', spec);
const zone = (records: string): string =>
  manifest('Zone', 'example-com', `origin: example.com\nrecords:\n${records}`);
const DIGEST = `sha256-${'0a'.repeat(32)}`;

test.each([
  {
    when: 'a host has no dot',
    text: manifest('Site', 'blog', 'hosts: [blog]'),
    says: 'spec.hosts[0] "blog": needs a dot, e.g. blog.example.com (site.yaml:6)',
  },
  {
    when: 'a field is unknown, and one is near',
    text: site('hots: [a.example.com]'),
    says: 'spec.hots is not a field of spec; did you mean "hosts"? (site.yaml:7)',
  },
  {
    when: 'a field is unknown, and none is near',
    text: site('tls: { colour: red }'),
    says: 'spec.tls.colour is not a field of spec.tls, which has issuer, secret (site.yaml:7)',
  },
  {
    when: 'a field is not indented',
    text: 'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: blog }\nspec: { hosts: [a.example.com] }\nttl: 5',
    says: 'ttl belongs under spec; indent it there (site.yaml:5)',
  },
  {
    when: 'a text stands where a number belongs',
    text: site('ttl: soon'),
    says: 'spec.ttl "soon": must be a whole number, and this is text (site.yaml:7)',
  },
  {
    when: 'a number is in quotes',
    text: site('ttl: "30"'),
    says: 'spec.ttl "30": must be a whole number, and this is text; write 30 without quotes (site.yaml:7)',
  },
  {
    when: 'a number stands where a text belongs',
    text: site('notFoundPage: 404'),
    says: 'spec.notFoundPage 404: must be text, and this is a number; put it in quotes: "404" (site.yaml:7)',
  },
  {
    when: 'a text stands where a list belongs',
    text: manifest('Site', 'blog', 'hosts: blog.example.com'),
    says: 'spec.hosts "blog.example.com": must be a list, and this is text; write [blog.example.com] (site.yaml:6)',
  },
  {
    when: 'a list is left empty',
    text: manifest('Site', 'blog', 'hosts:'),
    says: 'spec.hosts is empty, and must be a list (site.yaml:6)',
  },
  {
    when: 'a required field is missing',
    text: manifest('Site', 'blog', 'ttl: 5'),
    says: 'spec.hosts is missing: The names that the site is served at; the first one is canonical. (site.yaml:5)',
  },
  {
    when: 'a time to live is 0',
    text: site('ttl: 0'),
    says: 'spec.ttl 0: must be from 1 to 86400 (site.yaml:7)',
  },
  {
    when: 'a word is misspelt',
    text: site('routing: { policy: nearst }'),
    says: 'spec.routing.policy "nearst": must be one of nearest, weighted, failover; did you mean "nearest"? (site.yaml:7)',
  },
  {
    when: 'weights are given with another policy',
    text: site('routing: { weights: { london: 1 } }'),
    says: 'spec.routing.weights has no effect with policy nearest; set policy: weighted (site.yaml:7)',
  },
  {
    when: 'a host is named twice',
    text: manifest('Site', 'blog', 'hosts: [a.example.com, b.example.com, a.example.com]'),
    says: 'spec.hosts names "a.example.com" twice, as items 0 and 2; remove one (site.yaml:6)',
  },
  {
    when: 'a header has a space in its name',
    text: site('headers:\n  - { path: /*, name: Cache Control, value: no-store }'),
    says: 'spec.headers[0].name "Cache Control": must be the name of a header, e.g. Cache-Control, without spaces or ":" (site.yaml:8)',
  },
  {
    when: 'a header has two lines, which would smuggle in another',
    text: site('headers:\n  - { path: /*, name: X-A, value: "a\\r\\nSet-Cookie: b" }'),
    says: 'spec.headers[0].value "a\\r\\nSet-Cookie: b": must be one line (in YAML: ">-" folds lines into one) (site.yaml:8)',
  },
  {
    when: 'a redirect leads to itself',
    text: site('redirects:\n  - { from: /a, to: /a }'),
    says: 'spec.redirects[0].to "/a": leads to itself (site.yaml:8)',
  },
  {
    when: 'a redirect has a status that is none',
    text: site('redirects:\n  - { from: /a, to: /b, status: 418 }'),
    says: 'spec.redirects[0].status 418: must be one of 200, 301, 302, 303, 307, 308, 404 (site.yaml:8)',
  },
  {
    when: 'a rewrite leads to another site',
    text: site('redirects:\n  - { from: /a, to: https://b.example, status: 200 }'),
    says: 'spec.redirects[0].to "https://b.example": must be a path for status 200: other sites are not fetched (site.yaml:8)',
  },
  {
    when: 'who asks would choose where a redirect leads',
    text: site('redirects:\n  - { from: /go/*, to: "https://*" }'),
    says: 'spec.redirects[0].to "https://*": must name its host whole, without "*" or ":name" (site.yaml:8)',
  },
  {
    when: 'a path that is to be guarded fits none',
    text: site('auth: { secret: staff, paths: [private/*] }'),
    says: 'spec.auth.paths[0] "private/*": must begin with "/", e.g. /private/* (site.yaml:7)',
  },
  {
    when: 'the realm would end the header',
    text: site(`auth: { secret: staff, realm: 'a"b' }`),
    says: `spec.auth.realm "a\\"b": must be plain ASCII without quotes and backslashes (site.yaml:7)`,
  },
  {
    when: 'a redirect has a backslash, which browsers take for a slash',
    text: site("redirects:\n  - { from: /a, to: '/\\evil.example' }"),
    says: 'spec.redirects[0].to "/\\\\evil.example": has a backslash; write "/" (site.yaml:8)',
  },
  {
    when: 'an IPv4 address has a part above 255',
    text: node('ipv4: [192.0.2.256]'),
    says: 'spec.ipv4[0] "192.0.2.256": is not an IPv4 address: it needs four numbers from 0 to 255, e.g. 192.0.2.10 (site.yaml:6)',
  },
  {
    when: 'a latitude is 91',
    text: node('location:\n  latitude: 91\n  longitude: 0'),
    says: 'spec.location.latitude 91: must be from -90 to 90 (site.yaml:7)',
  },
  {
    when: 'a node has a dot in its name, which becomes a DNS label',
    text: manifest('Node', 'a.b', 'roles: [edge]'),
    says: 'metadata.name "a.b": must have no dot, e.g. a-b (site.yaml:4)',
  },
  {
    when: 'a DNS label has 64 bytes',
    text: manifest('Site', 'blog', `hosts:\n  - ${'a'.repeat(64)}.example.com`),
    says: `spec.hosts[0] "${'a'.repeat(61)}…": label "aaaaaaaaaaaa…" is 64 bytes long; at most 63 are possible (site.yaml:7)`,
  },
  {
    when: 'the value of a label has 64 bytes',
    text: `apiVersion: b8s.dev/v1\nkind: Node\nmetadata:\n  name: london\n  labels:\n    example.com/tier: ${'a'.repeat(64)}`,
    says: `metadata.labels["example.com/tier"] "${'a'.repeat(61)}…": is 64 characters long; a label has at most 63 (annotations may be longer) (site.yaml:6)`,
  },
  {
    when: 'a name has capitals and spaces',
    text: manifest('Issuer', 'My CA', 'ca: {}'),
    says: 'metadata.name "My CA": must be lower-case letters, digits, "-" and ".", with a letter or digit at both ends, e.g. my-ca (site.yaml:4)',
  },
  {
    when: 'a cluster-scoped object names a namespace',
    text: 'apiVersion: b8s.dev/v1\nkind: Node\nmetadata:\n  name: london\n  namespace: default',
    says: 'metadata.namespace "default": a Node has no namespace; remove the line (site.yaml:5)',
  },
  {
    when: 'the kind is written as on the command line',
    text: 'apiVersion: b8s.dev/v1\nkind: sites\nmetadata: { name: blog }',
    says: 'kind "sites": is not a kind; there are Certificate, Event, Issuer, Node, Notification, Release, Repository, Secret, Site, Zone; write Site (site.yaml:2)',
  },
  {
    when: 'the API version is another',
    text: manifest('Issuer', 'internal', 'ca: {}').replace('b8s.dev/v1', 'v1'),
    says: 'apiVersion "v1": must be b8s.dev/v1 (site.yaml:1)',
  },
  {
    when: 'a lifetime is no duration',
    text: manifest('Issuer', 'internal', 'ca: { lifetime: 3 months }'),
    says: 'spec.ca.lifetime "3 months": must be a duration, e.g. 90d, 12h or 30m (site.yaml:6)',
  },
  {
    when: 'an issuer is one that b8s does not know',
    text: manifest('Issuer', 'vault', 'ca: {}\nvault: {}'),
    says: 'spec.vault is not a field of spec, which has ca, acme (site.yaml:7)',
  },
  {
    when: 'an issuer has two sources',
    text: manifest('Issuer', 'both', 'ca: {}\nacme: { directory: "https://ca.test/dir" }'),
    says: 'spec names two sources of certificates; keep ca or acme (site.yaml:5)',
  },
  {
    when: 'a directory is not reached safely',
    text: manifest('Issuer', 'open', 'acme: { directory: "http://ca.test/dir" }'),
    says: 'spec.acme.directory "http://ca.test/dir": must be an https URL, e.g. https://acme-v02.api.letsencrypt.org/directory (site.yaml:6)',
  },
  {
    when: 'an issuer has no source',
    text: manifest('Issuer', 'empty', '{}'),
    says: 'spec names no source of certificates; write ca: {} or acme: … (site.yaml:5)',
  },
  {
    when: 'a release is not named by its digest',
    text: manifest('Release', 'v1', 'site: blog\nfiles: 1\nsizeBytes: 1'),
    says: 'metadata.name "v1": must be the digest of its manifest, "sha256-" and 64 lower-case hex digits; `b8sctl push` makes releases (site.yaml:4)',
  },
  {
    when: 'a certificate has a wildcard within a label',
    text: manifest('Certificate', 'c', 'names: [a*.example.com]\nissuer: internal'),
    says: 'spec.names[0] "a*.example.com": only the whole first label can be a wildcard, e.g. *.example.com (site.yaml:6)',
  },
  {
    when: 'a site has a wildcard',
    text: manifest('Site', 'blog', 'hosts: ["*.example.com"]'),
    says: 'spec.hosts[0] "*.example.com": a site cannot have a wildcard host; list the names one by one (site.yaml:6)',
  },
  {
    when: 'a mail server lacks its final dot',
    text: zone('- { name: "@", type: MX, values: [10 mail.example.net] }'),
    says: 'spec.records[0].values[0] "10 mail.example.net": mail server "mail.example.net" needs a final dot: write mail.example.net. (or mail.example.net.example.com. for the name in this zone) (site.yaml:8)',
  },
  {
    when: 'a whole name lacks its final dot',
    text: zone('- { name: www.example.com, type: A, values: [192.0.2.1] }'),
    says: 'spec.records[0].name "www.example.com": would mean www.example.com.example.com.; write "www", or "www.example.com." with a final dot (site.yaml:8)',
  },
  {
    when: 'a record lies outside the zone',
    text: zone('- { name: www.example.net., type: A, values: [192.0.2.1] }'),
    says: 'spec.records[0].name "www.example.net.": lies outside the zone; it must end in .example.com. (site.yaml:8)',
  },
  {
    when: 'an alias stands beside another record',
    text: zone(
      '- { name: www, type: CNAME, values: [a.example.net.] }\n- { name: www, type: TXT, values: [a] }',
    ),
    says: 'spec.records[1].name "www": stands beside records[0], and a CNAME must be alone at its name; remove one of them (site.yaml:9)',
  },
  {
    when: 'the origin is an alias',
    text: zone('- { name: "@", type: CNAME, values: [a.example.net.] }'),
    says: 'spec.records[0].type "CNAME": the origin cannot be a CNAME; use ALIAS, A and AAAA, or a Site (site.yaml:8)',
  },
  {
    when: 'a record set is declared twice with two times to live',
    text: zone(
      '- { name: www, type: A, ttl: 60, values: [192.0.2.1] }\n- { name: WWW, type: A, values: [192.0.2.2] }',
    ),
    says: 'spec.records[1] declares WWW A again, as records[0] does; put all values into one of them, with one ttl (RFC 2181 §5.2) (site.yaml:9)',
  },
  {
    when: 'a record type is made by b8s',
    text: zone('- { name: "@", type: CDS, values: ["1 13 2 00"] }'),
    says: 'spec.records[0].type "CDS": is made by b8s itself for a signed zone; leave it out (site.yaml:8)',
  },
  {
    when: 'a record type is mistyped',
    text: zone('- { name: "@", type: AAA, values: ["2001:db8::1"] }'),
    says: 'spec.records[0].type "AAA": is no type; did you mean "AAAA"? (site.yaml:8)',
  },
  {
    when: 'a record type is in lower case',
    text: zone('- { name: "@", type: mx, values: ["10 mail"] }'),
    says: 'spec.records[0].type "mx": must be one of A, AAAA, ALIAS, CAA, CNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SRV, SSHFP, SVCB, TLSA, TXT, ^[A-Z][A-Z0-9-]*$; did you mean "MX"? (site.yaml:8)',
  },
  {
    when: 'a field is named twice',
    text: site('ttl: 5\nttl: 6'),
    says: 'site.yaml:8 names ttl again; remove one of the two',
  },
  {
    when: 'a line is indented with a tab',
    text: 'apiVersion: b8s.dev/v1\nmetadata:\n\tname: blog',
    says: 'site.yaml:3 is indented with a tab; YAML needs spaces',
  },
  {
    when: 'a bracket does not close',
    text: 'hosts: [a\n',
    says: 'site.yaml:2 is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  },
  {
    when: 'the document is a list',
    text: '- 1',
    says: 'an object is a group of fields: apiVersion, kind, metadata and spec; this is something else (site.yaml:1)',
  },
  {
    when: 'brackets nest a hundred thousand deep',
    text: '['.repeat(100_000),
    says: 'site.yaml:1 nests too deeply to be a manifest',
  },
  {
    when: 'fields nest 100 deep',
    text: `${'{a: '.repeat(100)}1${'}'.repeat(100)}`,
    says: 'the object nests deeper than 32 levels (site.yaml:1)',
  },
  {
    when: 'aliases multiply (a billion laughs)',
    text: aliasBomb(),
    says: `site.yaml:2 repeats more than ${ALIASES_MAX} values through aliases (*name); write them out`,
  },
  {
    when: 'a few aliases repeat a large text',
    text: `a: &a ${'x'.repeat(100_000)}\nb: [${Array.from({ length: 20 }, () => '*a').join(', ')}]`,
    says: 'the object is larger than 1048576 bytes (1 MiB); split it into several (site.yaml:1)',
  },
  {
    when: 'the text is one byte longer than 10 MB',
    text: '#'.repeat(MANIFEST_BYTES_MAX + 1),
    says: 'site.yaml is 10000001 bytes long; at most 10000000 (10 MB) are possible: split it into several files',
  },
])('says what to mend when $when', ({ text, says }) => {
  expect(complaints(text)).toEqual([says]);
});

/** Nine lists, each of nine times the one before. */
function aliasBomb(): string {
  const letters = 'abcdefghi'.split('');
  const lines = letters.map((letter, index) => {
    const item = index === 0 ? 'lol' : `*${letters[index - 1]}`;
    return `${letter}: &${letter} [${Array.from({ length: 9 }, () => item).join(', ')}]`;
  });
  return lines.join('\n');
}

test('tells everything that is wrong at once, unknown fields among it', () => {
  const text = manifest('Site', 'Blog', 'hosts: [blog]\nhots: [a]');
  expect(complaints(text).map((line) => line.split(' ')[0])).toEqual([
    'spec.hots',
    'metadata.name',
    'spec.hosts[0]',
  ]);
});

test('the example of the API document is valid, document by document', () => {
  const text = `# site.yaml
apiVersion: b8s.dev/v1
kind: Site
metadata:
  name: blog
spec:
  hosts: [blog.example.com, www.blog.example.com]
  content: { path: ./public }
  routing: { policy: nearest }
  tls: { issuer: letsencrypt }
---
apiVersion: b8s.dev/v1
kind: Zone
metadata:
  name: example-com
spec:
  origin: example.com
  records:
    - { name: "@", type: MX, ttl: 3600, values: ["10 mail.example.net."] }
    - { name: "@", type: TXT, values: ["v=spf1 -all"] }
`;
  expect(complaints(text)).toEqual([]);
  expect(parseManifests(text, '-')).toHaveLength(2);
});

test('a broken document leaves the others good, and empty ones count for nothing', () => {
  const text = `---\n# nothing\n---\n${site('ttl: 5')}\n---\na: [\n---\n${site('ttl: 6')}\n---\n`;
  expect(parseManifests(text, '-').map((document) => document.kind)).toEqual([
    'object',
    'error',
    'object',
  ]);
});

test('a map of very many fields is read, and the one that is there twice is found', () => {
  // To compare each with all before it would take minutes.
  const fields = Array.from({ length: 50_000 }, (_, index) => `field${index}: ${index}\n`).join('');
  expect(parseManifests(fields, 'large.yaml')).toMatchObject([{ kind: 'object' }]);
  expect(parseManifests(`${fields}"field7": 1\n`, 'large.yaml')).toEqual([
    { kind: 'error', message: 'large.yaml:50001 names field7 again; remove one of the two' },
  ]);
});

test('very many fields that do not exist are told in no time, each at its line', () => {
  // To count all fields for each of them took five minutes.
  const fields = Array.from({ length: 40_000 }, (_, index) => `  x${index}: 1\n`).join('');
  const told = complaints(
    `apiVersion: b8s.dev/v1\nkind: Site\nmetadata: {name: a}\nspec:\n${fields}`,
  );
  expect(told).toHaveLength(51);
  expect(told[7]).toMatch(/^spec.x6 is not a field of spec, .* \(site.yaml:11\)$/);
  expect(told[50]).toMatch(/^and 39951 more like these/);
});

test('a name of a field that means something to JavaScript has its line, or that around it', () => {
  const fields = ['constructor: 1', 'toString: {}', '__proto__: 1'].map((each) => `  ${each}\n`);
  const head = 'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: {name: a}\nspec:\n';
  const places = complaints(`${head}${fields.join('')}`).map((each) =>
    each.replace(/ is .*(?=\()/, ' '),
  );
  expect(places).toEqual([
    'spec.hosts (site.yaml:4)',
    'spec.constructor (site.yaml:5)',
    'spec.toString (site.yaml:6)',
    'spec.__proto__ (site.yaml:4)',
  ]);
});

test('reads JSON, and locates its lines', () => {
  const text = `{\n  "apiVersion": "b8s.dev/v1",\n  "kind": "Site",\n  "metadata": {"name": "a"},\n  "spec": {\n    "hosts": [\n      "a"\n    ]\n  }\n}`;
  expect(complaints(text, 'a.json')).toEqual([
    'spec.hosts[0] "a": needs a dot, e.g. a.example.com (a.json:7)',
  ]);
});

test('what was given is told apart from what was filled in', () => {
  const [document] = parseManifests(site(`content: { release: ${DIGEST} }`), '-');
  const validation = document?.kind === 'object' ? validateObject(document.raw) : undefined;
  expect(validation).toMatchObject({
    kind: 'valid',
    given: { spec: { hosts: ['blog.example.com'], content: { release: DIGEST } }, labels: {} },
    object: {
      metadata: { name: 'blog', namespace: 'default', uid: '' },
      spec: { ttl: 30, tls: { issuer: 'internal' }, routing: { policy: 'nearest', answers: 1 } },
    },
  });
});
