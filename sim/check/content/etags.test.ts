import { expect, test } from 'vitest';
import type { HttpExchange } from '../check.ts';
import { watched } from '../dns/dns.fixture.ts';
import { etagsCheck } from './etags.ts';

const answered = (node: string, release: string, etag: string, coding?: string): HttpExchange => ({
  ...{ node, host: 'blog.example.test', path: '/', namedBy: undefined },
  answer: {
    status: 200,
    headers: [
      ['etag', etag],
      ['b8s-release', release],
      ...(coding === undefined ? [] : [['content-encoding', coding] as const]),
    ],
    body: '',
  },
});

test.each([
  { when: 'the same everywhere', second: answered('tokyo', 'r1', '"a"'), found: [] },
  { when: 'another one for another release', second: answered('tokyo', 'r2', '"b"'), found: [] },
  {
    when: 'another one on another node',
    second: answered('tokyo', 'r1', '"b"'),
    found: ['INV-27: blog.example.test/ of r1 has ETag "b" on tokyo, and "a" on london'],
  },
  { when: 'another one for a coding', second: answered('tokyo', 'r1', '"b"', 'br'), found: [] },
  {
    when: 'the same for a coding',
    second: answered('london', 'r1', '"a"', 'br'),
    found: [
      'INV-27: blog.example.test/ of r1 has ETag "a" on london as br, which is that of identity',
    ],
  },
])('a file has an ETag: $when', ({ second, found }) => {
  const it = watched(etagsCheck);
  it.check.requested?.(answered('london', 'r1', '"a"'));
  it.check.requested?.(second);
  expect(it.found).toEqual(found);
});
