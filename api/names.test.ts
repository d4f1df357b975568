import { expect, test } from 'vitest';
import { ipv4Problem, ipv6Problem, isIpv4, isIpv6 } from './address.ts';
import { formatDuration, parseDurationMs } from './duration.ts';
import {
  certificateNameProblem,
  hostProblem,
  labelNameProblem,
  objectNameProblem,
  recordNameProblem,
} from './names.ts';
import { nearest } from './nearest.ts';
import { formatPath, formatPointer, parsePath, parsePointer } from './path.ts';

const LABEL_63 = 'a'.repeat(63);
/** 253 bytes: three labels of 63 and one of 61. */
const NAME_253 = `${`${LABEL_63}.`.repeat(3)}${'a'.repeat(61)}`;

test.each([
  { when: 'it is plain', name: 'blog.example.com', says: undefined },
  { when: 'a label has 63 bytes', name: `${LABEL_63}.example.com`, says: undefined },
  {
    when: 'a label has 64 bytes',
    name: `${LABEL_63}a.com`,
    says: 'label "aaaaaaaaaaaa…" is 64 bytes long; at most 63 are possible',
  },
  { when: 'it has 253 bytes', name: NAME_253, says: undefined },
  {
    when: 'it has 254 bytes',
    name: `${NAME_253}a`,
    says: 'is 254 bytes long; a DNS name has at most 253',
  },
  { when: 'it is empty', name: '', says: 'is empty; write a name, e.g. example.com' },
  {
    when: 'it ends in a dot',
    name: 'a.example.com.',
    says: 'leave the final dot out: a.example.com',
  },
  { when: 'it has capitals', name: 'A.example.com', says: 'must be lower case: a.example.com' },
  {
    when: 'it is a URL',
    name: 'https://a.example.com/',
    says: 'is a URL; write only its host, e.g. blog.example.com',
  },
  { when: 'it has a port', name: 'a.example.com:80', says: 'leave the port out: a.example.com' },
  {
    when: 'it has an umlaut',
    name: 'bücher.example',
    says: 'write it in ASCII: xn--bcher-kva.example',
  },
  {
    when: 'it is an IPv4 address',
    name: '192.0.2.1',
    says: 'is an address; write a host name, e.g. blog.example.com',
  },
  {
    when: 'it is an IPv6 address',
    name: '2001:db8::1',
    says: 'is an address; write a host name, e.g. blog.example.com',
  },
  { when: 'it has two dots in a row', name: 'a..com', says: 'has an empty label: a dot too many' },
  {
    when: 'it has an underscore',
    name: 'a_b.com',
    says: 'label "a_b" must be lower-case letters, digits and "-", and "-" at neither end',
  },
  {
    when: 'a label ends in a hyphen',
    name: 'a-.com',
    says: 'label "a-" must be lower-case letters, digits and "-", and "-" at neither end',
  },
])('hostProblem when $when', ({ name, says }) => {
  expect(hostProblem(name)).toBe(says);
});

test.each([
  {
    problem: certificateNameProblem,
    good: ['*.example.com', 'a.example.com'],
    bad: ['*', '*.com.', '*.*.com', 'a.*.com', '*.com'],
  },
  {
    problem: recordNameProblem,
    good: ['_dmarc.example.com', '*.example.com', '_sip._tcp.a'],
    bad: ['a b', '-a.b', 'a.*.b', ''],
  },
  {
    problem: objectNameProblem,
    good: ['a', 'a-b.c', '0'],
    bad: ['', '-a', 'a.', 'A', 'a_b', 'a'.repeat(254)],
  },
  { problem: labelNameProblem, good: ['default', LABEL_63], bad: ['a.b', `${LABEL_63}a`, ''] },
])('$problem.name tells good from bad', ({ problem, good, bad }) => {
  expect(good.filter((name) => problem(name) !== undefined)).toEqual([]);
  expect(bad.filter((name) => problem(name) === undefined)).toEqual([]);
});

test('addresses are strict', () => {
  expect(['0.0.0.0', '255.255.255.255', '192.0.2.1'].every(isIpv4)).toBe(true);
  const bad4 = ['01.2.3.4', '1.2.3', '1.2.3.4.5', '256.0.0.1', '1.2.3.4 ', '0x1.2.3.4', ''];
  expect(bad4.filter(isIpv4)).toEqual([]);
  const good6 = [
    '::',
    '::1',
    '1::',
    '2001:db8::10',
    '1:2:3:4:5:6:7:8',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5:6:7::',
  ];
  expect(good6.filter((text) => !isIpv6(text))).toEqual([]);
  const bad6 = [
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    ':1',
    '1:',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7:8::',
    '',
    '1.2.3.4::',
  ];
  expect(bad6.filter(isIpv6)).toEqual([]);
});

test('an address of the other family says so', () => {
  expect(ipv4Problem('2001:db8::1')).toMatch(/^is an IPv6 address/);
  expect(ipv6Problem('192.0.2.1')).toMatch(/^is an IPv4 address/);
  expect(ipv4Problem('192.0.2.0/24')).toBe('must be one address, without a prefix length');
});

test.each([
  { text: '10s', ms: 10_000 },
  { text: '30m', ms: 1_800_000 },
  { text: '12h', ms: 43_200_000 },
  { text: '90d', ms: 7_776_000_000 },
  { text: '1h30m', ms: 5_400_000 },
  { text: '0s', ms: 0 },
  { text: '', ms: undefined },
  { text: '90', ms: undefined },
  { text: '-1s', ms: undefined },
  { text: '1.5h', ms: undefined },
  { text: '30m1h', ms: undefined },
  { text: '999999999d', ms: undefined },
])('parseDurationMs of "$text" is $ms', ({ text, ms }) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each([
  { seconds: -5, shown: '0s' },
  { seconds: 119, shown: '119s' },
  { seconds: 120, shown: '2m' },
  { seconds: 599, shown: '9m59s' },
  { seconds: 600, shown: '10m' },
  { seconds: 3 * 3600, shown: '3h' },
  { seconds: 3 * 3600 + 720, shown: '3h12m' },
  { seconds: 47 * 3600, shown: '47h' },
  { seconds: 52 * 3600, shown: '2d4h' },
  { seconds: 90 * 86_400, shown: '90d' },
  { seconds: 1107 * 86_400, shown: '3y12d' },
])('formatDuration of $seconds s is $shown', ({ seconds, shown }) => {
  expect(formatDuration(seconds * 1000)).toBe(shown);
});

test.each([
  { word: 'hots', meant: 'hosts' },
  { word: 'hsots', meant: 'hosts' },
  { word: 'Hosts', meant: 'hosts' },
  { word: 'singlepageapp', meant: 'singlePageApp' },
  { word: 'zebra', meant: undefined },
  { word: 'x'.repeat(100_000), meant: undefined },
])('nearest to $word.0 is $meant', ({ word, meant }) => {
  expect(nearest(word, ['hosts', 'ttl', 'singlePageApp'])).toBe(meant);
});

test('paths and pointers survive the way there and back', () => {
  const steps = ['metadata', 'labels', 'example.com/a"b', 3, 'x'];
  expect(formatPath(steps)).toBe('metadata.labels["example.com/a\\"b"][3].x');
  expect(parsePath(formatPath(steps))).toEqual(steps);
  const fields = ['a/b', 'c~d', ''];
  expect(formatPointer(fields)).toBe('/a~1b/c~0d/');
  expect(parsePointer('/a~1b/c~0d/')).toEqual(fields);
});
