import { expect, test } from 'vitest';
import { parseName, ROOT } from './name.ts';
import { formatRdata, parseRdata, type RdataOutcome } from './rdata.ts';
import { typeNumber } from './types.ts';

const origin = parseName('example.com') ?? ROOT;

function parse(type: string, value: string, dotted: 'relative' | 'refused' = 'relative') {
  return parseRdata(typeNumber(type) ?? 0, value, { origin, dotted });
}

function wireOf(outcome: RdataOutcome): Buffer {
  if (outcome.kind === 'error') throw new Error(outcome.message);
  const parts = outcome.parts.map((part) =>
    typeof part === 'string' ? Buffer.from(`${part}\0`, 'latin1') : part,
  );
  return Buffer.concat(parts);
}

interface Good {
  readonly rfc: string;
  readonly type: string;
  readonly value: string;
  /** Hex; blanks between fields. */
  readonly wire: string;
  /** Canonical, if it is not the value itself. */
  readonly text?: string;
}

const DIGEST = 'ab'.repeat(32);
const TARGET = '0377777707 6578616d706c65 03636f6d 00';
const FOO = '03666f6f07 6578616d706c65 03636f6d 00';

/** As named-compilezone of BIND 9.18 writes them, but that names are in lower case here. */
const good: readonly Good[] = [
  { rfc: '1035 §3.4.1', type: 'A', value: '192.0.2.1', wire: 'c0000201' },
  {
    rfc: '3596 §2.2',
    type: 'AAAA',
    value: '2001:DB8:0:0::1',
    wire: '20010db8 0000000000000000 00000001',
    text: '2001:db8::1',
  },
  { rfc: '1035 §3.3.1', type: 'CNAME', value: 'WWW', wire: TARGET, text: 'www.example.com.' },
  { rfc: '1035 §3.3.11', type: 'NS', value: 'www.example.com.', wire: TARGET },
  { rfc: '1035 §3.3.12', type: 'PTR', value: '\\119ww', wire: TARGET, text: 'www.example.com.' },
  {
    rfc: '6763 §4.1.1',
    type: 'PTR',
    value: 'My\\032Web\\.1.example.com.',
    wire: '086d7920776562 2e31 07 6578616d706c65 03636f6d 00',
    text: 'my\\032web\\.1.example.com.',
  },
  {
    rfc: '1035 §3.3.9',
    type: 'MX',
    value: '10 @',
    wire: '000a 076578616d706c6503636f6d00',
    text: '10 example.com.',
  },
  { rfc: '7505', type: 'MX', value: '0 .', wire: '0000 00' },
  {
    rfc: '2782',
    type: 'SRV',
    value: '1 2 443 www',
    wire: `0001 0002 01bb ${TARGET}`,
    text: '1 2 443 www.example.com.',
  },
  {
    rfc: '1035 §3.3.14',
    type: 'TXT',
    value: 'v=spf1 -all',
    wire: '0b763d73706631202d616c6c',
    text: '"v=spf1 -all"',
  },
  {
    rfc: '1035 §5.1',
    type: 'TXT',
    value: '"a\\"b"  "\\200;"',
    wire: '03612262 02c83b',
    text: '"a\\"b" "\\200;"',
  },
  { rfc: '1035 §3.3.14', type: 'TXT', value: '""', wire: '00' },
  {
    rfc: '8659 §4.1',
    type: 'CAA',
    value: '0 issue letsencrypt.org',
    wire: '00 05 6973737565 6c657473656e63727970742e6f7267',
    text: '0 issue "letsencrypt.org"',
  },
  { rfc: '8659 §4.2', type: 'CAA', value: '128 issue ";"', wire: '80 05 6973737565 3b' },
  {
    rfc: '4034 §5.4',
    type: 'DS',
    value: '60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118',
    wire: 'ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118',
    text: '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
  },
  {
    rfc: '4034 A.1',
    type: 'DS',
    value: `1 ECDSAP256SHA256 2 ${DIGEST}`,
    wire: `0001 0d 02 ${DIGEST}`,
    text: `1 13 2 ${DIGEST}`,
  },
  {
    rfc: '3403 §6.2',
    type: 'NAPTR',
    value: '100 50 "a" "z3950+N2L+N2C" "" www',
    wire: `0064 0032 0161 0d7a333935302b4e324c2b4e3243 00 ${TARGET}`,
    text: '100 50 "a" "z3950+N2L+N2C" "" www.example.com.',
  },
  {
    rfc: '3403 §6.1',
    type: 'NAPTR',
    value: '100 10 "" "" "!^u:(.+)$!\\\\1!i" .',
    wire: '0064 000a 00 00 0e215e753a282e2b2924215c312169 00',
  },
  {
    rfc: '4255 §3.2',
    type: 'SSHFP',
    value: '2 1 123456789abcdef67890123456789abcdef67890',
    wire: '02 01 123456789abcdef67890123456789abcdef67890',
  },
  { rfc: '6698 §2.3', type: 'TLSA', value: `3 1 1 ${DIGEST}`, wire: `03 01 01 ${DIGEST}` },
  {
    rfc: '9460 D.1',
    type: 'HTTPS',
    value: '0 foo',
    wire: `0000 ${FOO}`,
    text: '0 foo.example.com.',
  },
  { rfc: '9460 D.2', type: 'SVCB', value: '1 .', wire: '0001 00' },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '16 foo port=53',
    wire: `0010 ${FOO} 0003 0002 0035`,
    text: '16 foo.example.com. port=53',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '1 foo key667=hello',
    wire: `0001 ${FOO} 029b 0005 68656c6c6f`,
    text: '1 foo.example.com. key667=hello',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '1 foo key667="hello\\210qoo"',
    wire: `0001 ${FOO} 029b 0009 68656c6c6fd2716f6f`,
    text: '1 foo.example.com. key667="hello\\210qoo"',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '1 foo ipv6hint="2001:db8::1,2001:db8::53:1"',
    wire: `0001 ${FOO} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
    text: '1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33"',
    wire: '0001 076578616d706c6503636f6d00 0006 0010 20010db80122034400000000c0000221',
    text: '1 example.com. ipv6hint=2001:db8:122:344::c000:221',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '16 foo alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1',
    wire: `0010 ${FOO} 0000 0004 00010004 0001 0009 026832 0568332d3139 0004 0004 c0000201`,
    text: '16 foo.example.com. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '16 foo alpn="f\\\\\\\\oo\\\\,bar,h2"',
    wire: `0010 ${FOO} 0001 000c 08665c6f6f2c626172 026832`,
    text: '16 foo.example.com. alpn="f\\\\\\\\oo\\\\,bar,h2"',
  },
  {
    rfc: '9460 D.2',
    type: 'SVCB',
    value: '16 foo alpn=f\\\\\\092oo\\092,bar,h2',
    wire: `0010 ${FOO} 0001 000c 08665c6f6f2c626172 026832`,
    text: '16 foo.example.com. alpn="f\\\\\\\\oo\\\\,bar,h2"',
  },
  {
    rfc: '9460 §7.1',
    type: 'HTTPS',
    value: '1 . no-default-alpn alpn=h3',
    wire: '0001 00 0001 0003 026833 0002 0000',
    text: '1 . alpn=h3 no-default-alpn',
  },
  {
    rfc: '9848 §3',
    type: 'HTTPS',
    value: '1 . ech="AEP+DQA="',
    wire: '0001 00 0005 0005 0043fe0d00',
    text: '1 . ech=AEP+DQA=',
  },
  {
    rfc: '9461 §5',
    type: 'SVCB',
    value: '1 . alpn=h2 dohpath=/q{?dns}',
    wire: '0001 00 0001 0003 026832 0007 0008 2f717b3f646e737d',
    text: '1 . alpn=h2 dohpath="/q{?dns}"',
  },
  {
    rfc: '9460 §2.1',
    type: 'SVCB',
    value: '1 . key3=\\000\\053',
    wire: '0001 00 0003 0002 0035',
    text: '1 . port=53',
  },
  {
    rfc: '3597 §5',
    type: 'TYPE65280',
    value: '\\# 4 0A00 0001',
    wire: '0a000001',
    text: '\\# 4 0a000001',
  },
  { rfc: '3597 §5', type: 'TYPE65280', value: '\\# 0', wire: '' },
  { rfc: '3597 §5', type: 'A', value: '\\# 4 0a000001', wire: '0a000001', text: '10.0.0.1' },
  {
    rfc: '3597 §5',
    type: 'MX',
    value: `\\# 19 000a ${TARGET.replaceAll(' ', '')}`,
    wire: `000a ${TARGET}`,
    text: '10 www.example.com.',
  },
  {
    rfc: '1035 §3.3.13',
    type: 'SOA',
    value: 'www www 7 1h 10m 2w 1h30m',
    wire: `${TARGET}${TARGET} 00000007 00000e10 00000258 00127500 00001518`,
    text: 'www.example.com. www.example.com. 7 3600 600 1209600 5400',
  },
  { rfc: 'none', type: 'ALIAS', value: 'www', wire: TARGET, text: 'www.example.com.' },
];

test.each(good)('RFC $rfc: $type $value', ({ type, value, wire, text = value }) => {
  const outcome = parse(type, value);
  expect(wireOf(outcome).toString('hex')).toBe(wire.replaceAll(' ', ''));
  expect(outcome).toMatchObject({ text });
  // Canonical text means the same, by itself and as the wire form of its type.
  expect(wireOf(parse(type, text))).toEqual(wireOf(outcome));
  const number = typeNumber(type) ?? 0;
  const bytes = wireOf(outcome);
  expect(formatRdata(number, bytes)).toBe(text);
  const generic = `\\# ${bytes.length} ${bytes.toString('hex')}`;
  expect(parse(type, generic)).toMatchObject({ kind: 'rdata', text });
});

test.each([
  { type: 'CNAME', value: 'a', kinds: ['name'] },
  { type: 'MX', value: '1 a', kinds: ['bytes', 'name'] },
  { type: 'NS', value: 'a', kinds: ['name'] },
  { type: 'PTR', value: 'a', kinds: ['name'] },
  { type: 'SRV', value: '0 0 0 a', kinds: ['bytes', 'bytes', 'bytes', 'bytes'] },
  { type: 'NAPTR', value: '0 0 "" "" "" a', kinds: Array.from({ length: 6 }, () => 'bytes') },
  { type: 'SVCB', value: '1 a', kinds: ['bytes', 'bytes'] },
])('names of $type are compressed as RFC 3597 §4 allows', ({ type, value, kinds }) => {
  const outcome = parse(type, value);
  const parts = outcome.kind === 'rdata' ? outcome.parts : [];
  expect(parts.map((part) => (typeof part === 'string' ? 'name' : 'bytes'))).toEqual(kinds);
});

test.each(['ALIAS a', 'HTTPS 1 a', 'MX 1 a', 'NS a', 'SRV 0 0 0 a', 'SVCB 0 a'])(
  '%s leads its reader on to a',
  (record) => {
    const [type = '', ...words] = record.split(' ');
    expect(parse(type, words.join(' '))).toMatchObject({ target: '\x01a\x07example\x03com' });
  },
);

const bad: readonly { readonly type: string; readonly value: string; readonly says: string }[] = [
  { type: 'A', value: '', says: 'must be one IPv4 address, e.g. 192.0.2.10' },
  { type: 'PTR', value: 'a b', says: 'must be one name, e.g. web.example.net.' },
  {
    type: 'DS',
    value: `1 13 2 ${DIGEST}ab`,
    says: 'has a digest of 33 bytes, and this type has 32; copy it whole',
  },
  {
    type: 'DS',
    value: '1 13 2 xyz',
    says: 'digest "xyz" must be hexadecimal, two digits a byte, e.g. 49fd46e6',
  },
  {
    type: 'DS',
    value: '1 13 2',
    says: 'must be key tag, algorithm, digest type and digest, e.g. 20326 13 2 e06d44b8…',
  },
  {
    type: 'TLSA',
    value: '3 1 1 abcd',
    says: 'has a digest of 2 bytes, and this type has 32; copy it whole',
  },
  {
    type: 'SSHFP',
    value: '4 2 ab',
    says: 'has a digest of 1 bytes, and this type has 32; copy it whole',
  },
  {
    type: 'NAPTR',
    value: '1 1 "S" "" "!a!b!" c',
    says: 'has a regexp and a replacement, of which one must be empty: "" or .',
  },
  {
    type: 'NAPTR',
    value: '1 1 "-" "" "" c',
    says: 'has flags that are not letters and digits, e.g. "S"',
  },
  {
    type: 'TXT',
    value: '"a" b',
    says: 'has a string without quotes beside one with; write "first" "second"',
  },
  {
    type: 'CAA',
    value: '0 issue="a"',
    says: 'must be flags, tag and value, e.g. 0 issue "letsencrypt.org"',
  },
  {
    type: 'CAA',
    value: '0 issue x="a"',
    says: 'value "x="a"" has a quote inside a word; put the whole word in quotes',
  },
  {
    type: 'MX',
    value: '10 192.0.2.1',
    says: 'mail server "192.0.2.1" is an address, and a name is needed',
  },
  {
    type: 'HTTPS',
    value: '0 . alpn=h2',
    says: 'has parameters, which priority 0 (an alias) must not have; remove them, or write priority 1',
  },
  // RFC 9460 appendix D.3, in its order.
  {
    type: 'SVCB',
    value: '1 foo key123=abc key123=def',
    says: 'has the key key123 twice; remove one',
  },
  {
    type: 'SVCB',
    value: '1 foo mandatory',
    says: 'has mandatory, which needs keys, e.g. mandatory=alpn; "" is none',
  },
  { type: 'SVCB', value: '1 foo alpn', says: 'has alpn, which needs protocols, e.g. alpn=h2,h3' },
  { type: 'SVCB', value: '1 foo port', says: 'has port, which must be 0 to 65535' },
  {
    type: 'SVCB',
    value: '1 foo ipv4hint',
    says: 'has ipv4hint, which needs addresses, e.g. ipv4hint=192.0.2.1',
  },
  {
    type: 'SVCB',
    value: '1 foo ipv6hint',
    says: 'has ipv6hint, which needs addresses, e.g. ipv6hint=2001:db8::1',
  },
  {
    type: 'SVCB',
    value: '1 foo no-default-alpn=abc',
    says: 'has no-default-alpn, which takes no value',
  },
  {
    type: 'SVCB',
    value: '1 foo mandatory=key123',
    says: 'says that key123 is mandatory, and has no key123; add it',
  },
  {
    type: 'SVCB',
    value: '1 foo mandatory=mandatory',
    says: 'has mandatory, which must not name itself',
  },
  {
    type: 'SVCB',
    value: '1 foo mandatory=key123,key123 key123=abc',
    says: 'has mandatory, which names a key twice; remove one',
  },
  {
    type: 'SVCB',
    value: '1 foo no-default-alpn',
    says: 'has no-default-alpn without alpn; add alpn, or remove it',
  },
  {
    type: 'SVCB',
    value: '1 foo alpn=h2,,h3',
    says: 'has alpn, which needs protocols, e.g. alpn=h2,h3',
  },
  {
    type: 'SVCB',
    value: '1 foo key65535=a',
    says: 'has the unknown key "key65535"; known are mandatory, alpn, no-default-alpn, port, ipv4hint, ech, ipv6hint, dohpath, ohttp and keyNNNNN',
  },
  {
    type: 'SVCB',
    value: '1 foo key3=abc',
    says: 'has key3, which is no value of port; write it by that name',
  },
  {
    type: 'SVCB',
    value: `1 foo ipv4hint=::1`,
    says: 'has ipv4hint, which has "::1", which is an IPv6 address, and an IPv4 one is needed, e.g. 192.0.2.10',
  },
  {
    type: 'TYPE65280',
    value: 'abc',
    says: 'must be written as \\# LENGTH HEX (RFC 3597), for TYPE65280 is not known here',
  },
  {
    type: 'TYPE65280',
    value: '\\# 3 0a000001',
    says: 'says 3 bytes and has 4; correct one of them',
  },
  {
    type: 'TYPE65280',
    value: '\\# x',
    says: 'must be \\#, a length in bytes and hexadecimal, e.g. \\# 4 0a000001',
  },
  {
    type: 'A',
    value: '\\# 3 0a0000',
    says: 'has bytes that are not one IPv4 address, e.g. 192.0.2.10',
  },
];

test.each(bad)('$type "$value" is refused', ({ type, value, says }) => {
  expect(parse(type, value)).toEqual({ kind: 'error', message: says });
});

test('a name of several labels without a final dot is a slip in a manifest, not in a zone file', () => {
  expect(parse('PTR', 'a.example.net')).toMatchObject({ text: 'a.example.net.example.com.' });
  expect(parse('PTR', 'a.example.net', 'refused')).toEqual({
    kind: 'error',
    message:
      'needs a final dot: write a.example.net. (or a.example.net.example.com. for the name in this zone)',
  });
});

test('whatever the bytes, the text of a record is one that can be read', () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const types = ['A', 'CAA', 'DS', 'HTTPS', 'MX', 'NAPTR', 'SOA', 'SRV', 'SVCB', 'TLSA', 'TXT'];
  for (let round = 0; round < 5000; round += 1) {
    const type = types[random(types.length)] ?? 'A';
    const bytes = Buffer.from(
      Array.from({ length: random(40) }, () => random(random(2) * 250 + 6)),
    );
    const text = formatRdata(typeNumber(type) ?? 0, bytes);
    // Names are in lower case, so the bytes may differ; the text may not.
    const again = parse(type, text);
    if (again.kind === 'rdata') expect(again.text).toBe(text);
    else expect(again.message).not.toBe('');
  }
});

/** Each was once read in a time that grew with the square or the cube of its length. */
test.each([
  { type: 'CNAME', value: `${'\\'.repeat(60_000)}x.` },
  { type: 'PTR', value: `${'a.'.repeat(30_000)}x` },
  { type: 'SVCB', value: `1 . dohpath=/${'{'.repeat(60_000)}` },
  { type: 'SVCB', value: `1 . dohpath=/${'{dns'.repeat(15_000)}` },
  { type: 'SVCB', value: `1 . alpn=${'\\,'.repeat(30_000)}` },
  { type: 'TXT', value: `"${'\\'.repeat(59_999)}` },
  { type: 'SVCB', value: `1 . ${'x'.repeat(60_000)}` },
  { type: 'SVCB', value: `1 . ipv6hint=${'1:'.repeat(30_000)}` },
])('$type of 60,000 characters is refused at once', ({ type, value }) => {
  const before = process.cpuUsage();
  const outcome = parse(type, value, 'refused');
  expect(outcome.kind === 'error' && outcome.message.length).toBeLessThan(600);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(500);
});
