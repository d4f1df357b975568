import { expect, test } from 'vitest';
import { goNumber } from './go-number.ts';

/** By Go's `strconv.FormatFloat(value, 'f', -1, 64)` and `strconv.Itoa`. */
test.each([
  ['0', '0'],
  ['-7', '-7'],
  ['1.50', '1.5'],
  ['-0.25', '-0.25'],
  ['1e3', '1000'],
  ['1e21', '1000000000000000000000'],
  ['1.25e22', '12500000000000000000000'],
  ['1e-7', '0.0000001'],
  ['-1.5e-9', '-0.0000000015'],
  ['9007199254740993', '9007199254740993'],
  ['0x1F', '31'],
])('%s is %s', (source, text) => expect(goNumber(Number(source), source)).toBe(text));
