import { type AnswerContext, answerQuery } from '../answer.ts';

/** Looks at an answer that the fast path gave. */
export type CheckFast = (query: Uint8Array, reply: Uint8Array, context: AnswerContext) => void;

/** For simulation: throws unless the general path gives the same bytes. */
export const assertSameAnswer: CheckFast = (query, reply, context) => {
  const expected = Buffer.from(answerQuery(query, context) ?? []);
  if (expected.equals(reply)) return;
  const [asked, given] = [query, reply].map((bytes) => Buffer.from(bytes).toString('hex'));
  const { address, transport } = context.client;
  throw new Error(
    `the fast path answers ${asked} of ${address} by ${transport} with ${given}, ` +
      `the general path with ${expected.toString('hex')}`,
  );
};
