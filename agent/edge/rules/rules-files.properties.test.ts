import { expect, test } from 'vitest';
import { parseRules } from '../../../runtime/release-rules/release-rules.ts';
import { seededRandom } from '../../dns/seeded.fixture.ts';
import { decodePath } from '../http/request-target.ts';
import { compileRelease } from '../release.ts';
import { compileHeaders } from './header-table.ts';
import { compileRedirects } from './redirect-table.ts';
import { planRule, withHeaderRules } from './rules.ts';

const SEEDS = 4000;

/** What rules are made of, and what attackers would put between it. */
const WORDS = [
  ...['/*', '/a', '/:x', '/:x/*', '/*.js', '//', '/\\', 'https://', 'http://a.test', ':splat'],
  ...[' ', ' ', '\t', '\n', '\n', '\r', '\n  ', ' 200', ' 301', ' 404!', ' a=:b ', '#', '!'],
  ...['X-A: ', 'Set-Cookie: ', '\0', '\ufeff', '\ud800', '\u2028', '%', '*', ':', '..', '/', '@'],
  ...['%0d%0a', '%5c', 'evil.test', '\u00e9', '\ud83d\udca9', 'https://a.test/:x', '/:b', '/:x'],
];
/** Whole lines, so that something comes of it. */
const LINES = [
  ...[
    '\n/a/* /:splat 301!\n',
    '\n/* https://a.test/:splat?x=:splat 302!\n',
    '\n/:x b=:b /:b/:x 303\n',
  ],
  ...['\n/*\n X-A: :splat\n', '\n/:x/*\n X-A: ":x"\n', '\nhttps://:h.test/*\n X-H: :h:splat\n'],
];
const PARTS = [
  '/',
  '//',
  'a',
  'a.js',
  '%0d%0a',
  '%5C',
  '%252e',
  'evil.test',
  '@evil.test',
  '%C3%A9',
];

const release = compileRelease(`sha256-${'0'.repeat(64)}`, []);
const addresses = { hideHtml: true, trailingSlash: 'never' } as const;

function drawn(seed: number) {
  const next = seededRandom(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  const some = (from: readonly string[], max: number) =>
    Array.from({ length: below(max) }, () => from[below(from.length)] ?? '').join('');
  const bytes = () => Buffer.from(Array.from({ length: below(200) }, () => below(256)));
  const text = () => (below(5) === 0 ? bytes().toString('utf8') : some([...WORDS, ...LINES], 40));
  const rawPath = `/${some(PARTS, 6)}`;
  const query = ['', `?b=${some(PARTS, 3)}`, '?a=//evil.test', '?a=%0d%0aX:y'][below(4)] ?? '';
  return { redirects: text(), headers: text(), rawPath, query };
}

test('whatever the files hold and whoever asks: no throw, no other line, no other host', () => {
  let followed = 0;
  let set = 0;
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const { redirects, headers, rawPath, query } = drawn(seed);
    const rules = parseRules({ redirects, headers });
    const asked = { host: 'blog.test', rawPath, path: decodePath(rawPath) ?? '/', query };
    const table = compileRedirects([], rules.redirects);
    const ruling = planRule(asked, { redirects: table, addresses }, release);
    if (ruling?.kind === 'redirect') {
      followed += 1;
      expect(ruling.location, `seed ${seed}`).toMatch(/^[!-~]+$/u);
      const { host } = new URL(ruling.location, 'https://blog.test');
      const named = rules.redirects.map(({ to }) => new URL(to, 'https://blog.test').host);
      expect(['blog.test', ...named], `seed ${seed}`).toContain(host);
    }
    const sent = withHeaderRules([['x', 'y']], {
      ...{ ...asked, status: 200 },
      site: { headers: compileHeaders([], rules.headers) },
    });
    set += sent.length - 1;
    for (const [name, value] of sent) {
      expect(name, `seed ${seed}`).toMatch(/^[!#$%&'*+\-.^_`|~\w]+$/u);
      expect(value, `seed ${seed}`).toMatch(/^[\t -~]*$/u);
    }
    expect(rules.warning ?? '', `seed ${seed}`).toMatch(/^[^\u0000-\u001f]*$/u);
  }
  // It is no test where nothing comes of it.
  expect(followed).toBeGreaterThan(50);
  expect(set).toBeGreaterThan(50);
});

test('a hostile path comes to an end, whatever the pattern', () => {
  const patterns = ['/*/:a/:b.html', '/:a.x.y', '/*a/:b', '/:a/:b/:c/:d/*/x', '/*.js'];
  const redirects = patterns.map((from) => `${from} /y 301`).join('\n');
  const table = compileRedirects([], parseRules({ redirects, headers: undefined }).redirects);
  expect(table.patterns).toHaveLength(patterns.length);
  const long = ['/a'.repeat(8000), `/${'a.'.repeat(8000)}`, `/${'a'.repeat(16_000)}`];
  for (const path of [...long, '/'.repeat(16_000), '/a.x.y'.repeat(3000)]) {
    const asked = { host: 'blog.test', rawPath: path, path, query: '' };
    planRule(asked, { redirects: table, addresses }, release);
  }
});
