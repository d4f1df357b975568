import { expect, test } from 'vitest';
import { ENTRY_LENGTH_MAX, entriesOf } from './entries.ts';
import { MESSAGES_MAX, parseZoneFile, ZONE_FILE_LENGTH_MAX } from './parse.ts';

const SOA = '@ IN SOA ns1 hostmaster 7 1h 10m 2w 5m';

/** `name type ttl value | value`, one line a set. */
function setsOf(text: string, origin?: string): readonly string[] {
  const outcome = parseZoneFile(text, origin === undefined ? {} : { origin });
  if (outcome.kind === 'errors') throw new Error(JSON.stringify(outcome.errors));
  return outcome.spec.records.map(
    ({ name, type, ttl, values }) => `${name} ${type} ${ttl ?? '-'} ${values.join(' | ')}`,
  );
}

/** `line:column message`. */
function errorsOf(text: string): readonly string[] {
  const outcome = parseZoneFile(text, { origin: 'example.com' });
  const errors = outcome.kind === 'errors' ? outcome.errors : [];
  return errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('the example of RFC 1035 §5.3 is read as it is meant', () => {
  const text = `
@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

VAXA    A       10.2.0.27
        A       128.9.0.33
`;
  const outcome = parseZoneFile(text, { origin: 'ISI.EDU' });
  expect(outcome).toEqual({
    kind: 'zone',
    notes: [],
    spec: {
      origin: 'isi.edu',
      ttl: 60,
      nameservers: ['venera.isi.edu', 'a.isi.edu', 'vaxa.isi.edu'],
      soa: {
        mailbox: 'action\\.domains.isi.edu'.replace('\\.', '\\046'),
        refreshS: 7200,
        retryS: 600,
        expireS: 3_600_000,
        negativeTtlS: 60,
      },
      records: [
        { name: '@', type: 'MX', values: ['10 venera.isi.edu.', '20 vaxa.isi.edu.'] },
        { name: 'a', type: 'A', values: ['26.3.0.103'] },
        { name: 'venera', type: 'A', values: ['10.1.0.52', '128.9.0.32'] },
        { name: 'vaxa', type: 'A', values: ['10.2.0.27', '128.9.0.33'] },
      ],
    },
  });
});

test.each([
  {
    when: 'class and TTL come in either order',
    lines: 'a 60 IN A 192.0.2.1\nb IN 60 A 192.0.2.1',
    sets: ['a A 60 192.0.2.1', 'b A 60 192.0.2.1'],
  },
  { when: 'words are in lower case', lines: 'a in a 192.0.2.1', sets: ['a A - 192.0.2.1'] },
  {
    when: 'times have units',
    lines: 'a 1h30m A 192.0.2.1\nb 1D A 192.0.2.1',
    sets: ['a A 5400 192.0.2.1', 'b A 86400 192.0.2.1'],
  },
  {
    when: 'the owner is blank',
    lines: 'a A 192.0.2.1\n \tAAAA ::1',
    sets: ['a A - 192.0.2.1', 'a AAAA - ::1'],
  },
  {
    when: '$TTL changes (RFC 2308 §4)',
    lines: '$TTL 60\na A 192.0.2.1\n$TTL 300\nb A 192.0.2.1',
    sets: ['a A 60 192.0.2.1', 'b A - 192.0.2.1'],
  },
  {
    when: '$ORIGIN changes',
    lines: '$ORIGIN sub\na CNAME b\n$ORIGIN example.com.\nc CNAME b',
    sets: ['a.sub CNAME - b.sub.example.com.', 'c CNAME - b.example.com.'],
  },
  {
    when: 'parentheses span lines',
    lines: 'a ( A ; (\n ) 192.0.2.1\nb MX ( 10\n\n; )\nc )',
    sets: ['a A - 192.0.2.1', 'b MX - 10 c.example.com.'],
  },
  {
    when: 'each word of TXT is a string',
    lines: 'a TXT x "y z" ""',
    sets: ['a TXT - "x" "y z" ""'],
  },
  {
    when: 'text holds what means something elsewhere',
    lines: 'a TXT "; ( ) $ @ \\" \\\\ \\009" ; rest',
    sets: ['a TXT - "; ( ) $ @ \\" \\\\ \\009"'],
  },
  {
    when: 'lines end in CRLF',
    lines: 'a A 192.0.2.1\r\nb TXT "x"\r',
    sets: ['a A - 192.0.2.1', 'b TXT - x'],
  },
  {
    when: 'names are escaped',
    lines: 'a\\.b.c A 192.0.2.1\n\\064 A 192.0.2.1\n*.w A 192.0.2.1',
    sets: ['a\\046b.c A - 192.0.2.1', '\\064 A - 192.0.2.1', '*.w A - 192.0.2.1'],
  },
  {
    when: 'a record comes twice, in two spellings',
    lines: 'a AAAA 0::1\nA.EXAMPLE.COM. AAAA ::1',
    sets: ['a AAAA - ::1'],
  },
  {
    when: 'types have numbers',
    lines: 'a TYPE1 \\# 4 c0000201\nb TYPE65280 \\# 0\nc HINFO \\# 2 0000',
    sets: ['a A - 192.0.2.1', 'b TYPE65280 - \\# 0', 'c TYPE13 - \\# 2 0000'],
  },
  {
    when: 'SvcParams are quoted',
    lines: 'a HTTPS 1 . alpn="h2,h3" port=8443 ; x',
    sets: ['a HTTPS - 1 . alpn=h2,h3 port=8443'],
  },
  {
    when: 'ALIAS stands at the top',
    lines: '@ ALIAS a.example.net.',
    sets: ['@ ALIAS - a.example.net.'],
  },
  {
    when: 'a name repeats the origin',
    lines: 'example.com A 192.0.2.1',
    sets: ['example.com.example.com. A - 192.0.2.1'],
  },
])('$when', ({ lines, sets }) => {
  expect(setsOf(`$TTL 300\n${SOA}\n${lines}`, 'example.com')).toEqual(sets);
});

test('the origin is that of the option, of $ORIGIN, or of the SOA', () => {
  const rest = 'SOA ns1 h 1 1h 1h 1h 60\nwww A 192.0.2.1';
  expect(setsOf(`@ 60 ${rest}`, 'example.com.')).toEqual(['www A - 192.0.2.1']);
  expect(setsOf(`$ORIGIN example.com.\n@ 60 ${rest}`)).toEqual(['www A - 192.0.2.1']);
  expect(setsOf(`example.com. 60 ${rest}`)).toEqual(['www A - 192.0.2.1']);
});

test('an export of Cloudflare is read, once its SOA has its dot', () => {
  const text = `;;
;; Domain:     example.com.
;;
example.com\t3600\tIN\tSOA\tns.cloudflare.com. dns.cloudflare.com. 2038 10000 2400 604800 3600
;; NS Records
example.com.\t86400\tIN\tNS\tada.ns.cloudflare.com.
;; A Records
www.example.com.\t1\tIN\tA\t192.0.2.1 ; cf_tags=cf-proxied:true
;; TXT Records
example.com.\t1\tIN\tTXT\t"v=spf1 -all"
`;
  const says =
    'the SOA is of example.com.example.com., and the zone is to be example.com.; write @, or the name with a final dot';
  expect(errorsOf(text)).toEqual([`4:25 ${says}`]);
  const mended = text.replace('example.com\t', 'example.com.\t');
  expect(setsOf(mended)).toEqual(['www A 1 192.0.2.1', '@ TXT 1 v=spf1 -all']);
});

test('an export of GoDaddy is read', () => {
  const text = `; SOA Record
example.com.\t600\t IN \tSOA\tns01.domaincontrol.com.\tdns.jomax.net (
\t\t\t\t2019100100
\t\t\t\t28800
\t\t\t\t7200
\t\t\t\t604800
\t\t\t\t600
\t\t\t\t)
; A Records
@\t600\t IN \tA\t192.0.2.1
@\t3600\t IN \tMX\t10\tmail.example.net.
`;
  expect(setsOf(text)).toEqual(['@ A - 192.0.2.1', '@ MX 3600 10 mail.example.net.']);
});

test('without $TTL a record has that of the record before (RFC 1035 §5.1)', () => {
  const soa = '@ SOA ns1 h 1 1h 1h 1h 60';
  const lines = `${soa}\na A 192.0.2.1\nb 120 A 192.0.2.1\nc A 192.0.2.1`;
  const sets = ['a A - 192.0.2.1', 'b A 120 192.0.2.1', 'c A 120 192.0.2.1'];
  expect(setsOf(lines, 'example.com')).toEqual(sets);
});

const HEAD = `$TTL 300\n${SOA}\n`;

test.each([
  {
    when: 'a file is included',
    text: `${HEAD}$INCLUDE other.zone`,
    says: ['3:1 $INCLUDE is not followed; put the text of that file here, in its place'],
  },
  {
    when: 'records are generated',
    text: `${HEAD}$GENERATE 1-9 a$ A 192.0.2.$`,
    says: ['3:1 $GENERATE is of BIND only; write the records out, e.g. with named-compilezone'],
  },
  {
    when: 'a directive is unknown',
    text: `${HEAD}$FOO`,
    says: ['3:1 $FOO is no directive; there are $ORIGIN and $TTL'],
  },
  {
    when: 'a parenthesis stays open',
    text: `${HEAD}a TXT ( x\nb A 192.0.2.1\n`,
    says: ['3:7 this parenthesis is never closed; add ")"'],
  },
  {
    when: 'a parenthesis was never opened',
    text: `${HEAD}a A 192.0.2.1 )\nb A x`,
    says: [
      '3:15 no parenthesis is open here; remove ")", or write "\\)"',
      '4:5 A "x" is not an IPv4 address: it needs four numbers from 0 to 255, e.g. 192.0.2.10',
    ],
  },
  {
    when: 'a quote stays open',
    text: `${HEAD}a TXT "x\nb TXT "y"`,
    says: [
      '3:7 a quote is not closed on its line, or stands inside a word; write "text", and \\" for a quote itself',
    ],
  },
  {
    when: 'a quote stays open in parentheses',
    text: `${HEAD}a TXT (\n"x\ny\n)\nb TXT y`,
    says: [
      '4:1 a quote is not closed on its line, or stands inside a word; write "text", and \\" for a quote itself',
    ],
  },
  {
    when: 'a byte is not UTF-8',
    text: `${HEAD}a TXT "caf\uFFFD"`,
    says: ['3:11 the file is not UTF-8 here; write the byte by number, e.g. \\252'],
  },
  {
    when: 'a type is mistyped',
    text: `${HEAD}a AAA ::1`,
    says: ['3:3 "AAA" is no type of record; did you mean "AAAA"?'],
  },
  {
    when: 'the data are missing',
    text: `${HEAD}a 60 IN`,
    says: ['3:6 a type and data must follow, e.g. www A 192.0.2.1'],
  },
  {
    when: 'the class is another',
    text: `${HEAD}a CH TXT x`,
    says: ['3:3 CH is not the class IN, the only one that is served; remove the record'],
  },
  {
    when: 'the TTL is no time',
    text: `${HEAD}a 1x A 192.0.2.1`,
    says: ['3:3 "1x" is no time; write seconds, or e.g. 1h30m'],
  },
  {
    when: 'the TTL is too long',
    text: `${HEAD}a 4294967295 A 192.0.2.1`,
    says: ['3:3 4294967295 is above 2147483647 seconds (RFC 2181 §8)'],
  },
  {
    when: 'a name is none',
    text: `${HEAD}a..b A 192.0.2.1`,
    says: [
      '3:1 "a..b" is not a name: labels of 1 to 63 bytes with dots in between, 255 bytes in all',
    ],
  },
  {
    when: 'a record is outside',
    text: `${HEAD}www.example.net. A 192.0.2.1`,
    says: [
      '3:20 www.example.net. lies outside the zone example.com.; move it into its own zone, or check for a final dot too much',
    ],
  },
  {
    when: 'there is no SOA',
    text: '$TTL 60\na A 192.0.2.1',
    says: [
      '1:1 the zone has no SOA record; begin with @ IN SOA ns1.example.com. hostmaster.example.com. 1 1h 10m 2w 5m',
    ],
  },
  {
    when: 'there are two SOAs',
    text: `${HEAD}a ${SOA.slice(2)}`,
    says: ['3:10 a zone has one SOA record, at its top; remove this one'],
  },
  {
    when: 'no TTL is known',
    text: `a A 192.0.2.1\n${HEAD}`,
    says: ['1:3 no time to live is known yet; begin the file with $TTL 1h'],
  },
  {
    when: 'the first owner is blank',
    text: ` A 192.0.2.1\n${HEAD}`,
    says: ['1:2 the first record must say whose it is; write @ for the zone itself'],
  },
  {
    when: 'a name server is no host',
    text: `${HEAD}@ NS localhost.`,
    says: ['3:6 name server "localhost": needs a dot, e.g. localhost.example.com'],
  },
  {
    when: 'a CNAME stands beside others',
    text: `${HEAD}a A 192.0.2.1\na CNAME b`,
    says: [
      '4:9 "a": stands beside the record of line 3, and a CNAME must be alone at its name; remove one of them',
    ],
  },
  {
    when: 'a DS has no delegation',
    text: `${HEAD}a DS 1 13 2 ${'ab'.repeat(32)}`,
    says: ['3:6 "a": a DS belongs to a delegation; declare NS records of this name, too'],
  },
  {
    when: 'a subtree is renamed',
    text: `${HEAD}a DNAME b`,
    says: [
      '3:3 DNAME would rename a whole subtree, which is not done here; declare a CNAME for each name',
    ],
  },
  {
    when: 'several lines are wrong',
    text: `${HEAD}a A x\nb MX y\nc SRV 1 2 3\nd A 192.0.2.1`,
    says: [
      '3:5 A "x" is not an IPv4 address: it needs four numbers from 0 to 255, e.g. 192.0.2.10',
      '4:6 MX "y" must be a preference and a mail server, e.g. 10 mail.example.net.',
      '5:7 SRV "1 2 3" must be priority, weight, port and target, e.g. 0 5 5060 sip.example.net.',
    ],
  },
])('errors by line and column when $when', ({ text, says }) => {
  expect(errorsOf(text)).toEqual(says);
});

test('errors of lines and of the zone come together', () => {
  const text = `${HEAD}a A x\nwww.example.net. A 192.0.2.1\nb ${SOA.slice(2)}\n$TTL`;
  expect(errorsOf(text).map((each) => each.split(' ').slice(0, 3).join(' '))).toEqual([
    '3:5 A "x"',
    '4:20 www.example.net. lies',
    '5:10 a zone',
    '6:1 $TTL needs',
  ]);
});

test('without any origin, the one thing to do is told once', () => {
  const outcome = parseZoneFile('$TTL 60\na A 192.0.2.1\nb A 192.0.2.1');
  expect(outcome).toMatchObject({ kind: 'errors', errors: [{ line: 2, column: 1 }] });
});

test('a transfer that was printed has its SOA twice', () => {
  expect(setsOf(`${HEAD}a A 192.0.2.1\n${SOA}`, 'example.com')).toEqual(['a A - 192.0.2.1']);
});

test('what b8s makes by itself is left out, with one note for each type', () => {
  const text = `${HEAD}a A 192.0.2.1\na RRSIG A 13 3 60 1 2 3 example.com. AAAA\na NSEC b A\nb RRSIG x\n`;
  const outcome = parseZoneFile(text, { origin: 'example.com' });
  expect(outcome).toMatchObject({
    kind: 'zone',
    spec: { records: [{ name: 'a' }] },
    notes: [
      { line: 4, column: 3, message: '2 RRSIG left out: b8s makes such records by itself' },
      { line: 5, column: 3, message: '1 NSEC left out: b8s makes such records by itself' },
    ],
  });
});

test('what a Zone cannot say as the file does is noted', () => {
  const text = `$TTL 2w\n@ SOA ns1 h 1 0 1h 1h 0\n@ 60 NS ns1\na A 192.0.2.1\na 60 A 192.0.2.2`;
  const outcome = parseZoneFile(text, { origin: 'example.com' });
  const notes = outcome.kind === 'zone' ? outcome.notes : [];
  expect(notes.map(({ line, message }) => `${line} ${message}`)).toEqual([
    '2 refresh 0 is out of bounds; 1 is taken',
    '2 negative TTL 0 is out of bounds; 1 is taken',
    '2 TTL 1209600 is out of bounds; 86400 is taken',
    '3 the NS records of the zone get the TTL of the zone, 86400',
    '5 its A records have several TTLs; the lowest is taken for all (RFC 2181 §5.2)',
  ]);
});

test('what is too large is refused, and errors are bounded', () => {
  const long = [...entriesOf(`a TXT ${'"x" '.repeat(ENTRY_LENGTH_MAX / 4)}\nb TXT x`)];
  expect(long.map(({ kind }) => kind)).toEqual(['problem', 'entry']);
  const open = [...entriesOf(`a TXT (\n${`${'x'.repeat(99)}\n`.repeat(ENTRY_LENGTH_MAX / 50)}`)];
  expect(open).toMatchObject([{ kind: 'problem', line: 1, column: 7 }]);
  const many = parseZoneFile(`${HEAD}${'a A x\n'.repeat(5000)}`, { origin: 'example.com' });
  expect(many).toMatchObject({ kind: 'errors' });
  const errors = many.kind === 'errors' ? many.errors : [];
  expect(errors).toHaveLength(MESSAGES_MAX + 1);
  expect(errors.at(-1)?.message).toBe('and 4900 more like these');
  expect(parseZoneFile('x'.repeat(ZONE_FILE_LENGTH_MAX + 1)).kind).toBe('errors');
  const strings = `${HEAD}a TXT ${'"" '.repeat(90_000)}`;
  expect(parseZoneFile(strings, { origin: 'example.com' })).toMatchObject({
    kind: 'errors',
    errors: [{ line: 3, message: expect.stringContaining('is 90000 bytes long; at most 65535') }],
  });
  const values = Array.from({ length: 200_000 }, (_, index) => `a TXT ${index}\n`).join('');
  expect(parseZoneFile(`${HEAD}${values}`, { origin: 'example.com' }).kind).toBe('errors');
});
