import { expect, test } from 'vitest';
import { queryBytes } from '../dns.fixture.ts';
import { bareReplyTo } from './bare.ts';

test.each([
  { when: 'one question: it is repeated', count: 1, repeated: true },
  { when: 'none', count: 0, repeated: false },
  // Found by fuzzing: the reply had the count, and not the questions.
  { when: 'three, in the place of which other records stand', count: 3, repeated: false },
])('$when', ({ count, repeated }) => {
  const query = Buffer.concat([queryBytes('example.com', 'A'), Buffer.alloc(40)]);
  query.writeUInt16BE(count, 4);
  const reply = bareReplyTo(query, { rcode: 1 });
  const question = repeated ? query.subarray(12, 29) : Buffer.alloc(0);
  expect(reply.readUInt16BE(4)).toBe(repeated ? 1 : 0);
  expect(reply.subarray(12)).toEqual(question);
});
