import { expect, test } from 'vitest';
import { contentTypeOf } from './content-type.ts';

test.each([
  { path: 'index.html', type: 'text/html;charset=utf-8' },
  { path: 'a/b/STYLE.CSS', type: 'text/css;charset=utf-8' },
  { path: 'app.min.js', type: 'text/javascript;charset=utf-8' },
  { path: 'data.json', type: 'application/json' },
  { path: 'logo.svg', type: 'image/svg+xml;charset=utf-8' },
  { path: 'font.woff2', type: 'font/woff2' },
  { path: 'README', type: 'application/octet-stream' },
  { path: 'v1.html/file', type: 'application/octet-stream' },
  { path: 'a.constructor', type: 'application/octet-stream' },
  { path: 'a.', type: 'application/octet-stream' },
  { path: '.htaccess', type: 'application/octet-stream' },
])('$path is $type', ({ path, type }) => {
  expect(contentTypeOf(path)).toBe(type);
  expect(contentTypeOf(path)).not.toMatch(/\s/u);
});
