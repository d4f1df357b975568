import { expect, test } from 'vitest';
import { afterWrite } from './controller.ts';

test.each([
  { when: 'it was written', write: { outcome: 'written', revision: 1n }, returned: 'settled' },
  { when: 'nothing was to write', write: { outcome: 'unchanged' }, returned: 'settled' },
  {
    when: 'there is a time',
    write: { outcome: 'unchanged' },
    inMs: 5,
    returned: { recheckInMs: 5 },
  },
  {
    when: 'it lost to another write, whatever the time',
    write: { outcome: 'conflict' },
    inMs: 5_000,
    returned: 'conflict',
  },
] as const)('afterWrite when $when', ({ write, returned, ...rest }) => {
  expect(afterWrite(write, 'inMs' in rest ? rest.inMs : undefined)).toEqual(returned);
});
