import { expect, test } from 'vitest';
import type { HttpAnswer } from '../../runtime/http.ts';
import { Trace } from '../engine/trace.ts';
import { answerTrace } from './answer-trace.ts';

const query = new Uint8Array();
const question = { nameserver: 'london', name: 'blog.test', client: '81.2.69.142', query };

test('answers are told, and a request follows from the answer that named the node', () => {
  const trace = new Trace(() => 0, { keep: 'lines' });
  const check = answerTrace(trace);
  const exchange = { ...question, type: 1, transport: 'udp' } as const;
  check.asked?.({ ...exchange, reply: answer([198, 18, 0, 1]) });
  check.asked?.({ ...exchange, nameserver: 'sydney', type: 28, reply: undefined });
  check.asked?.({ ...exchange, nameserver: 'sydney', type: 99, reply: answer() });
  check.asked?.({ ...exchange, nameserver: 'sydney', name: '', type: 0, reply: answer() });
  const request = { node: 'tokyo', host: 'blog.test', path: '/', answer: page };
  check.requested?.({ ...request, namedBy: 'london' });
  check.requested?.({ ...request, namedBy: undefined });
  check.moved?.({ node: 'tokyo', which: 'held', position: { epoch: 1n, revision: 2n } });
  check.moved?.({ node: 'tokyo', which: 'applied', position: { epoch: 1n, revision: 2n } });
  const lines = trace.lines().map(({ host, what, causes }) => [host, what, ...causes].join(' '));
  expect(lines).toEqual([
    'london 81.2.69.142 asks blog.test A: 198.18.0.1',
    'sydney 81.2.69.142 asks blog.test AAAA: no answer',
    'sydney 81.2.69.142 asks blog.test 99: nothing',
    'sydney 81.2.69.142 asks nonsense: nothing',
    'tokyo GET blog.test/: 200 "a" 0',
    'tokyo GET blog.test/: 200 "a"',
    'tokyo plan (1, 2) is in effect',
  ]);
});

const page: HttpAnswer = { status: 200, headers: [['etag', '"a"']], body: undefined };

/** A reply without a question, that answers these bytes as the root's address. */
function answer(address?: readonly number[]): Uint8Array {
  const header = [0, 1, 0x80, 0, 0, 0, 0, address === undefined ? 0 : 1, 0, 0, 0, 0];
  const record = address === undefined ? [] : [0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];
  return Uint8Array.from([...header, ...record]);
}
