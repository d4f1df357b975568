import { expect, test } from 'vitest';
import { absoluteName, ownerProblem, valueProblem } from './records.ts';

const good: readonly { readonly type: string; readonly values: readonly string[] }[] = [
  { type: 'A', values: ['192.0.2.1'] },
  { type: 'AAAA', values: ['2001:db8::1', '::1'] },
  { type: 'CAA', values: ['0 issue "letsencrypt.org"', '128 iodef mailto:a@b.c', '0 issue ";"'] },
  { type: 'CNAME', values: ['web.example.net.', 'www', '@', '_a._b.example.net.'] },
  { type: 'MX', values: ['10 mail.example.net.', '0 .', '65535 mail', '10  mail'] },
  { type: 'NS', values: ['ns1.example.net.'] },
  { type: 'SRV', values: ['0 5 5060 sip.example.net.', '0 0 0 .'] },
  {
    type: 'TXT',
    values: ['v=spf1 -all', '"a" "b"', '', '"\\"quoted\\""', 'x'.repeat(255), 'a\\065b'],
  },
];

test.each(good)('values of type $type that are good', ({ type, values }) => {
  for (const value of values)
    expect(valueProblem(type, value, 'example.com'), value).toBeUndefined();
});

const bad: readonly { readonly type: string; readonly value: string; readonly says: RegExp }[] = [
  { type: 'A', value: '2001:db8::1', says: /type AAAA$/ },
  { type: 'A', value: '192.0.2.01', says: /four numbers/ },
  { type: 'AAAA', value: '192.0.2.1', says: /type A$/ },
  { type: 'CAA', value: 'issue letsencrypt.org', says: /flags, tag and value/ },
  { type: 'CAA', value: '256 issue a', says: /^flags "256" must be a number from 0 to 255$/ },
  { type: 'CAA', value: '0 is-sue a', says: /issuewild/ },
  { type: 'CNAME', value: '192.0.2.1', says: /is an address/ },
  { type: 'CNAME', value: 'a.example.net', says: /final dot/ },
  { type: 'CNAME', value: `${'a'.repeat(64)}.net.`, says: /64 bytes long/ },
  { type: 'MX', value: 'mail.example.net.', says: /preference/ },
  { type: 'MX', value: '65536 mail', says: /^preference "65536" must be a number from 0/ },
  { type: 'MX', value: '10 a b', says: /preference/ },
  { type: 'NS', value: '', says: /one name/ },
  { type: 'SRV', value: '0 5 sip', says: /priority, weight, port/ },
  { type: 'SRV', value: '0 5 65536 sip', says: /^port "65536" must be/ },
  { type: 'TXT', value: 'x'.repeat(256), says: /string of 256 bytes; at most 255/ },
  { type: 'TXT', value: 'é'.repeat(128), says: /string of 256 bytes/ },
  { type: 'TXT', value: '"a', says: /does not close/ },
  { type: 'TXT', value: '"a"b', says: /does not close/ },
  { type: 'TXT', value: 'a\\', says: /"\\"/ },
  { type: 'TXT', value: 'a\\999', says: /000 to 255/ },
];

test.each(bad)('$type "$value" is refused', ({ type, value, says }) => {
  expect(valueProblem(type, value, 'example.com')).toMatch(says);
});

test.each([
  { name: '@', whole: 'example.com', problem: undefined },
  { name: 'WWW', whole: 'www.example.com', problem: undefined },
  { name: '*', whole: '*.example.com', problem: undefined },
  { name: '_dmarc', whole: '_dmarc.example.com', problem: undefined },
  { name: 'www.example.com.', whole: 'www.example.com', problem: undefined },
  { name: 'example.com.', whole: 'example.com', problem: undefined },
  { name: 'notexample.com.', whole: 'notexample.com', problem: /outside the zone/ },
  { name: 'example.com', whole: 'example.com.example.com', problem: /write "@"/ },
  { name: '', whole: '.example.com', problem: /"@" for the origin/ },
  { name: 'a..b', whole: 'a..b.example.com', problem: /empty label/ },
])('the name "$name" is $whole', ({ name, whole, problem }) => {
  expect(absoluteName(name, 'example.com')).toBe(whole);
  const says = ownerProblem(name, 'example.com');
  if (problem === undefined) expect(says).toBeUndefined();
  else expect(says).toMatch(problem);
});
