import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import {
  BATCH_BLOBS_MAX,
  BATCH_QUESTION_BYTES_MAX,
  BatchReader,
  encodeHeads,
  encodeQuestion,
  parseHeads,
  parseQuestion,
} from './small-blobs.ts';

const digests = Array.from({ length: BATCH_BLOBS_MAX + 1 }, (_, index) => {
  return digestOf(Buffer.from([index]));
});

describe('a question for several blobs', () => {
  test.each([1, 2, BATCH_BLOBS_MAX])('names %i of them', (count) => {
    const question = Buffer.from(encodeQuestion(digests.slice(0, count)));
    expect(question.length).toBeLessThanOrEqual(BATCH_QUESTION_BYTES_MAX);
    expect(parseQuestion(question)).toEqual(digests.slice(0, count));
  });

  test.each([
    ['nothing', ''],
    ['an end of line behind the last', `${digests[0]}\n`],
    ['something else', 'sha256-../../etc/passwd'],
    ['too many', digests.join('\n')],
    ['bytes that are no text', '\u00ff\u0000\n'],
  ])('%s is none', (_, text) => {
    expect(parseQuestion(Buffer.from(text, 'latin1'))).toBeUndefined();
  });
});

describe('what is said of each', () => {
  test('is read as it was written', () => {
    const heads = [0, 17, 'NOT_FOUND', 262_144, 'PERMISSION_DENIED'];
    expect(parseHeads(encodeHeads(heads), heads.length)).toEqual(heads);
  });

  test.each(['', '1', '1,2,3', '1,-2', '1,99999999', '1,2.5', '1,<b>', '1,'])(
    '%j is no answer for two',
    (text) => {
      expect(parseHeads(text, 2)).toBeUndefined();
    },
  );
});

describe('blobs one behind the other', () => {
  test.each([1, 2, 3, 100])('are cut as they come, in pieces of %i', (pieceBytes) => {
    const all = Buffer.from('onetwothree');
    const reader = new BatchReader(Buffer.alloc(11));
    const sizes = [3, 0, 3, 5];
    const taken: string[] = [];
    const take = (): void => {
      for (let size = sizes[0]; size !== undefined; size = sizes[0]) {
        const bytes = reader.take(size);
        if (bytes === undefined) return;
        taken.push(Buffer.from(bytes).toString());
        sizes.shift();
      }
    };
    for (let at = 0; at < all.length; at += pieceBytes) {
      reader.add(all.subarray(at, at + pieceBytes));
      take();
    }
    expect(taken).toEqual(['one', '', 'two', 'three']);
  });

  test('never go beyond their memory', () => {
    const reader = new BatchReader(Buffer.alloc(4));
    reader.add(Buffer.from('123'));
    expect(() => reader.add(Buffer.from('45'))).toThrow(RangeError);
  });
});
