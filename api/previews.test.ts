import { expect, test } from 'vitest';
import { previewHost, previewsViolations, reservedHosts, suffixOfPreview } from './previews.ts';

const DIGEST = `sha256-0123456789ab${'c'.repeat(52)}`;
const previews = { domain: 'preview.example.com', keep: 5 };

test('a host is the first digits, the name and the domain, and is told by its shape', () => {
  const host = previewHost('blog', DIGEST, previews);
  expect(host).toBe('0123456789ab--blog.preview.example.com');
  expect(suffixOfPreview(host)).toBe('--blog.preview.example.com');
});

test.each(['blog.example.com', '0123456789a--blog.example.com', '0123456789AB--b.example.com', ''])(
  '"%s" is no host of a preview',
  (host) => expect(suffixOfPreview(host)).toBeUndefined(),
);

test.each([
  { when: 'the name is as long as can be', site: 'a'.repeat(49), says: undefined },
  { when: 'the name is too long for one label', site: 'a'.repeat(50), says: 'at most 49 char' },
  { when: 'the name has a dot', site: 'blog.eu', says: 'and no dot' },
  { when: 'the domain has one label', domain: 'preview', says: 'needs a dot' },
  { when: 'the domain is a wildcard', domain: '*.example.com', says: 'wildcard' },
  { when: 'the domain is long', domain: `${'a.'.repeat(93)}abc`, says: undefined },
  {
    when: 'the domain is too long',
    domain: `${'a.'.repeat(93)}abcd`,
    says: 'at most 189 leave room',
  },
])('$when: $says', ({ site = 'blog', domain = previews.domain, says }) => {
  const [first] = previewsViolations(site, { domain, keep: 5 });
  if (says === undefined) expect(first).toBeUndefined();
  else {
    expect(first?.path).toBe('spec.previews.domain');
    expect(first?.message).toContain(says);
  }
});

test('what a Site alone may have are its hosts, and those of its previews', () => {
  const site = { metadata: { name: 'blog' }, spec: { hosts: ['blog.example.com'], previews } };
  expect(reservedHosts(site)).toEqual(['blog.example.com', '*--blog.preview.example.com']);
});
