import { expect, test } from 'vitest';
import { parseRequestHead, type Refusal, type RequestHead } from './request-head.ts';

const OPTIONS = { secure: true, limits: { headerBytesMax: 1024, headerFieldsMax: 16 } };

function parse(text: string, options: Partial<typeof OPTIONS> = {}) {
  return parseRequestHead(Buffer.from(text, 'latin1'), 0, { ...OPTIONS, ...options });
}

function accepted(text: string): RequestHead {
  const outcome = parse(text);
  if (outcome === undefined || 'why' in outcome) throw new Error(`refused: ${outcome?.why}`);
  return outcome;
}

test('a request is taken apart', () => {
  const text =
    'GET /a%20b?c HTTP/1.1\r\nHost: blog.test:8443\r\nACCEPT: a\r\naccept:  b\t \r\nX:\r\n\r\nrest';
  const { request, lines, end } = accepted(text);
  expect(request).toMatchObject({ method: 'GET', path: '/a%20b?c', host: 'blog.test:8443' });
  expect({ ...request.headers }).toEqual({ host: 'blog.test:8443', accept: 'a, b', x: '' });
  expect(lines).toMatchObject({ hasBody: false, isPersistent: true });
  expect(text.slice(end)).toBe('rest');
});

test('the same lines are taken apart once', () => {
  const first = accepted('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
  const next = parseRequestHead(Buffer.from('GET /b HTTP/1.1\r\nhost: a\r\n\r\n'), 0, {
    ...OPTIONS,
    before: first.lines,
  }) as RequestHead;
  expect(next.lines).toBe(first.lines);
  expect(next.request).toMatchObject({ path: '/b', memo: first.request.memo });
  const other = parseRequestHead(Buffer.from('GET /b HTTP/1.0\r\nhost: a\r\n\r\n'), 0, {
    ...OPTIONS,
    before: first.lines,
  }) as RequestHead;
  expect(other.lines.isPersistent).toBe(false);
});

test.each([
  { when: 'HTTP/1.1', text: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', isPersistent: true },
  {
    when: 'close',
    text: 'GET / HTTP/1.1\r\nhost: a\r\nconnection: x, Close\r\n\r\n',
    isPersistent: false,
  },
  { when: 'HTTP/1.0', text: 'GET / HTTP/1.0\r\n\r\n', isPersistent: false },
  {
    when: 'HTTP/1.0 that stays',
    text: 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n',
    isPersistent: true,
  },
  {
    when: 'empty lines before',
    text: '\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n',
    isPersistent: true,
  },
])('it can go on or not: $when', ({ text, isPersistent }) => {
  expect(accepted(text).lines.isPersistent).toBe(isPersistent);
});

test.each([
  { field: 'content-length: 0', hasBody: false },
  { field: 'content-length: 000', hasBody: false },
  { field: 'content-length: 7', hasBody: true },
  { field: 'transfer-encoding: chunked', hasBody: true },
])('whether a body follows: $field', ({ field, hasBody }) => {
  expect(accepted(`POST / HTTP/1.1\r\nhost: a\r\n${field}\r\n\r\n`).lines.hasBody).toBe(hasBody);
});

/** Each is read in two ways by two servers somewhere; RFC 9112 §11.2. */
test.each([
  { when: 'bare LF behind the first line', text: 'GET / HTTP/1.1\nhost: a\r\n\r\n' },
  { when: 'bare LF behind a header', text: 'GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n' },
  { when: 'bare LF in a value', text: 'GET / HTTP/1.1\r\nhost: a\r\nx: y\nz: 1\r\n\r\n' },
  { when: 'bare LF alone, and no end', text: 'GET / HTTP/1.1\nhost: a\n\n' },
  { when: 'bare CR in a value', text: 'GET / HTTP/1.1\r\nhost: a\r\nx: y\rz: 1\r\n\r\n' },
  { when: 'a folded line (§5.2)', text: 'GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n' },
  { when: 'a folded first header', text: 'GET / HTTP/1.1\r\n host: a\r\n\r\n' },
  { when: 'white space before the colon (§5.1)', text: 'GET / HTTP/1.1\r\nhost : a\r\n\r\n' },
  { when: 'no colon', text: 'GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n' },
  { when: 'no name', text: 'GET / HTTP/1.1\r\nhost: a\r\n: x\r\n\r\n' },
  { when: 'NUL in a value', text: 'GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n' },
  { when: 'NUL in a name', text: 'GET / HTTP/1.1\r\nhost: a\r\nx\0: 1\r\n\r\n' },
  { when: 'vertical tab around a value', text: 'GET / HTTP/1.1\r\nhost: a\r\nx:\v1\r\n\r\n' },
  { when: 'two hosts (§3.2)', text: 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n' },
  { when: 'the same host twice', text: 'GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n' },
  { when: 'no host', text: 'GET / HTTP/1.1\r\nx: a\r\n\r\n' },
  { when: 'a host with a path', text: 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n' },
  { when: 'a host with a user', text: 'GET / HTTP/1.1\r\nhost: a@b\r\n\r\n' },
  { when: 'a host with a space', text: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
  { when: 'two targets', text: 'GET / /x HTTP/1.1\r\nhost: a\r\n\r\n' },
  { when: 'two spaces', text: 'GET  / HTTP/1.1\r\nhost: a\r\n\r\n' },
  { when: 'a tab in the first line', text: 'GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n' },
  { when: 'a space behind the version', text: 'GET / HTTP/1.1 \r\nhost: a\r\n\r\n' },
  { when: 'a lower-case version', text: 'GET / http/1.1\r\nhost: a\r\n\r\n' },
  { when: 'HTTP/0.9', text: 'GET /\r\n\r\n' },
  { when: 'no request at all', text: 'nonsense\r\n\r\n' },
  { when: 'a ClientHello', text: '\u0016\u0003\u0001\u0002' },
  {
    when: 'length and coding (§6.1)',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
  },
  {
    when: 'coding and length',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n',
  },
  {
    when: 'two codings',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n',
  },
  {
    when: 'a coding in HTTP/1.0',
    text: 'POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n',
  },
  {
    when: 'two lengths (§6.3)',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
  },
  {
    when: 'the same length twice',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n',
  },
  { when: 'a list of lengths', text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\n' },
  { when: 'a negative length', text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n' },
  {
    when: 'a length with a sign',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n',
  },
  { when: 'a length in hex', text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\n' },
  {
    when: 'no length where it should be',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n',
  },
])('400: $when', ({ text }) => {
  expect(parse(text)).toMatchObject({ status: 400 });
});

test.each([
  { when: 'another version', text: 'GET / HTTP/2.0\r\nhost: a\r\n\r\n', status: 505 },
  { when: 'the preface of HTTP/2', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  {
    when: 'a coding that hides chunked',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n',
    status: 501,
  },
  {
    when: 'chunked twice',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n',
    status: 501,
  },
  {
    when: 'large headers',
    text: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(1024)}\r\n\r\n`,
    status: 431,
  },
  {
    when: 'a long target (§3)',
    text: `GET /${'y'.repeat(1024)} HTTP/1.1\r\nhost: a\r\n\r\n`,
    status: 414,
  },
  { when: 'a long target without an end', text: `GET /${'y'.repeat(1024)}`, status: 414 },
  {
    when: 'large headers without an end',
    text: `GET / HTTP/1.1\r\nx: ${'y'.repeat(1024)}`,
    status: 431,
  },
])('$status: $when', ({ text, status }) => {
  expect((parse(text) as Refusal).status).toBe(status);
});

test('as many fields as are allowed, and one more', () => {
  const text = (count: number): string =>
    `GET / HTTP/1.1\r\nhost: a\r\n${'a:\r\n'.repeat(count - 1)}\r\n`;
  expect(accepted(text(16)).lines.hasBody).toBe(false);
  expect(parse(text(17))).toMatchObject({ status: 431 });
});

test('what was seen before is not looked at again, and its end is found all the same', () => {
  const text = 'GET /a HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n';
  for (let seenBytes = 0; seenBytes < text.length; seenBytes += 1) {
    const bytes = Buffer.from(text);
    expect(parseRequestHead(bytes, 0, { ...OPTIONS, seenBytes })).toHaveProperty('end');
    const broken = Buffer.from(`${text.slice(0, seenBytes)}\nx`);
    const said = parseRequestHead(broken, 0, { ...OPTIONS, seenBytes });
    const isRefused = said !== undefined && 'why' in said;
    expect(isRefused).toBe(text[seenBytes - 1] !== '\r');
  }
});

test('what has not come whole is waited for, at every place', () => {
  const text = 'GET /a HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n';
  for (let length = 0; length < text.length; length += 1) {
    expect(parse(text.slice(0, length)), JSON.stringify(text.slice(0, length))).toBeUndefined();
  }
});

test('no bytes throw', () => {
  const pieces = [
    'GET',
    ' ',
    '/',
    'HTTP/1.1',
    '\r\n',
    '\n',
    '\r',
    ':',
    'host',
    'a',
    '\0',
    'ÿ',
    ',',
  ];
  let seed = 3;
  for (let round = 0; round < 20_000; round += 1) {
    let text = '';
    for (let count = 0; count < 12; count += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += pieces[(seed >> 12) % pieces.length];
    }
    parse(`${text}\r\n\r\n`);
    parse(`GET / HTTP/1.1\r\n${text}\r\n\r\n`);
  }
});
