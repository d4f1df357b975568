import { expect, test } from 'vitest';
import { compressorCases } from './compressor.case.ts';
import { expandFake, fakeCompressor } from './fake-compressor.ts';

compressorCases({ compressor: fakeCompressor, expand: expandFake });

test('what it did not make is noticed', () => {
  expect(() => expandFake('br', Buffer.from('gzip..\n'))).toThrow(RangeError);
});
