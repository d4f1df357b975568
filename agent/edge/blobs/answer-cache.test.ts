import { beforeEach, expect, test } from 'vitest';
import type { HttpRequest } from '../../../runtime/http.ts';
import type { EdgeResponse } from '../http/response.ts';
import { emptyEdgeTable } from '../site-table.ts';
import { AnswerCache } from './answer-cache.ts';

const table = emptyEdgeTable('london');
let made: string[];
let cache: AnswerCache;

beforeEach(() => {
  made = [];
  cache = new AnswerCache(respond);
});

/** Looks at what a real one looks at, in its own way. */
function respond(request: HttpRequest): EdgeResponse {
  const { path, headers } = request;
  made.push(path);
  if (path === '/language' && headers['accept-language'] === 'de') return file('german');
  if (path === '/all' && Object.keys(headers).length > 3) return file('many');
  if (path === '/spread') return file(JSON.stringify({ ...request }));
  if (path === '/missing') return { ...file('none'), status: 404 };
  if (headers['range'] !== undefined) return { ...file('part'), status: 206 };
  if (headers['if-none-match'] === '"1"')
    return { status: 304, headers: [], body: { kind: 'none' } };
  return file(`${path} as ${headers['accept-encoding']?.toString() ?? 'it is'}`);
}

function file(content: string): EdgeResponse {
  const headers = [['content', content]] as const;
  const blob = { digest: 'sha256-0', sizeBytes: 1, start: 0, end: 1 } as const;
  return { status: 200, headers, body: { kind: 'blob', ...blob } };
}

function ask(path: string, headers: HttpRequest['headers'] = {}, given: Partial<HttpRequest> = {}) {
  const request = { method: 'GET', path, host: 'a.test', headers, secure: true, ...given };
  return cache.find(request, table);
}

test('the same request is answered once, with one memo', () => {
  const [first, second] = [ask('/a'), ask('/a')];
  expect(second).toBe(first);
  expect(first.memo).toEqual({});
  expect(made).toEqual(['/a']);
});

test.each([
  { when: 'another host', ask: () => ask('/a', {}, { host: 'b.test' }) },
  { when: 'another path', ask: () => ask('/b') },
  { when: 'another coding', ask: () => ask('/a', { 'accept-encoding': 'br' }) },
  { when: 'another method', ask: () => ask('/a', {}, { method: 'HEAD' }) },
  { when: 'in the clear', ask: () => ask('/a', {}, { secure: false }) },
  { when: 'a range', ask: () => ask('/a', { range: 'bytes=0-0' }) },
])('$when has an answer of its own', ({ ask: other }) => {
  ask('/a');
  other();
  expect(made).toHaveLength(2);
  ask('/a');
  expect(made).toHaveLength(2);
});

test('a field that was looked at for another path makes a request another one', () => {
  ask('/a', { 'accept-language': 'de' });
  ask('/language');
  expect(ask('/language', { 'accept-language': 'de' }).response.headers).toEqual([
    ['content', 'german'],
  ]);
  expect(ask('/language').response.headers).toEqual([['content', '/language as it is']]);
});

test('who looks at everything is asked each time', () => {
  const many = { a: '1', b: '2', c: '3', d: '4' };
  expect(ask('/all').response.headers).toEqual([['content', '/all as it is']]);
  expect(ask('/all', many).response.headers).toEqual([['content', 'many']]);
  ask('/spread');
  ask('/spread');
  expect(made.filter((path) => path === '/spread')).toHaveLength(2);
});

test('what is not a file is not remembered, nor what has a query', () => {
  for (const path of ['/missing', '/missing', '/a?1', '/a?1']) ask(path);
  expect(made).toHaveLength(4);
});

test('of conditions the last ones that were met, and that were not, are remembered', () => {
  const [current, before] = [{ 'if-none-match': '"1"' }, { 'if-none-match': '"0"' }];
  expect(ask('/a', current).response.status).toBe(304);
  expect(ask('/a', current).memo).toBe(ask('/a', current).memo);
  expect(made).toHaveLength(1);
  expect(ask('/a').response.status).toBe(200);
  for (let round = 0; round < 3; round += 1) {
    expect(ask('/a', before).response.status).toBe(200);
    expect(ask('/a', current).response.status).toBe(304);
  }
  expect(made).toHaveLength(3);
  ask('/a', { 'if-none-match': '"-1"' });
  ask('/a', before);
  expect(made).toHaveLength(5);
});

test('a new table forgets, and so does a flood of paths', () => {
  ask('/a');
  cache.find(
    { method: 'GET', path: '/a', host: 'a.test', headers: {}, secure: true },
    { ...table },
  );
  expect(made).toHaveLength(2);
  cache = new AnswerCache(respond, { entriesMax: 2, keyLengthMax: 20 });
  for (const path of ['/1', '/2', '/3', '/2', '/4', '/5', '/6']) ask(path);
  made = [];
  ask('/6');
  ask('/1');
  expect(made).toEqual(['/1']);
  ask(`/${'x'.repeat(20)}`);
  ask(`/${'x'.repeat(20)}`);
  expect(made).toHaveLength(3);
});
