import { expect, test } from 'vitest';
import { isFingerprinted } from './fingerprint.ts';

/** As these tools wrote them. */
test.each([
  { tool: 'Vite', path: 'assets/index-GoDQC6Oc.js' },
  { tool: 'Vite', path: 'assets/index-GoDQC6Oc.js.map' },
  { tool: 'Vite', path: 'assets/logo-BFKZVGm6.svg' },
  { tool: 'Vite', path: 'assets/other-BNOz2EcE.js' },
  { tool: 'Vite 4', path: 'assets/index-4a2b3c4d.js' },
  { tool: 'Rollup', path: 'lazy-BCcESgl7.js' },
  { tool: 'Rollup with hex', path: 'm2-255e2919.js' },
  { tool: 'webpack', path: 'main.6c00513ab210f38fa42f.js' },
  { tool: 'webpack', path: 'main.6c00513ab210f38fa42f.js.map' },
  { tool: 'webpack', path: '242.d5f28a93.chunk.js' },
  { tool: 'webpack', path: 'css/main.558bb404.css' },
  { tool: 'webpack', path: 'media/logo.1bd2c2619d46689daee1.svg' },
  { tool: 'esbuild', path: 'out/main-F4GG4XSP.js' },
  { tool: 'esbuild', path: 'out/logo-26I5DNSQ.svg' },
  { tool: 'esbuild', path: 'out/lazy-B2LJX2HU.js.map' },
  { tool: 'Parcel', path: 'fp.13509bdc.js' },
  { tool: 'Parcel', path: 'fp.6a554a12.css' },
  {
    tool: 'Hugo',
    path: 'main.min.15c42ab7768d955ec0667195e339104557827893b16cc3e7412c76e7c2fcd371.css',
  },
  { tool: 'Hugo with MD5', path: 'app.6cd237310244539a24846274a3f71803.js' },
  {
    tool: 'Hugo with SHA-512',
    path: 'app.min.f29d0681fafb019c8b311dc2aad1952e54f28859a0914b2807607c831cc2ed1834666bb535e5e893c7fc0e788fc5c91250766c9e050b58921548b08570dbe1f9.js',
  },
  { tool: 'Vite with hex', path: 'assets/index-f8b45871.js' },
  { tool: 'mdBook', path: 'open-sans-v17-all-charsets-700italic-238ae959.woff2' },
  { tool: 'rustdoc', path: 'static.files/FiraSans-Medium-e1aa3f0a.woff2' },
  { tool: 'Rails', path: 'assets/app-0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d.js' },
  { tool: 'Next.js', path: '_next/static/chunks/pages/index.js' },
  { tool: 'SvelteKit', path: '_app/immutable/entry/app.js' },
  { tool: 'Astro', path: '_astro/hoisted.js' },
])('$tool: $path never changes', ({ path }) => {
  expect(isFingerprinted(path)).toBe(true);
});

test.each([
  'report-20261121.pdf',
  'report_20261121a.pdf',
  'app.production.js',
  'jquery-3.7.1.min.js',
  'bootstrap-5.3.0-alpha1.css',
  'release-candidate1.js',
  'december-december2024.js',
  'photo_1920x1080.jpg',
  'case-iPhone4S.jpg',
  'case-IPHONE6S.jpg',
  'setup-WINDOWS7.exe',
  'about-Chapter1.js',
  'about-Version2.js',
  'map-PlanB123.png',
  'assets/page-MyWidget.js',
  'hero-portrait.jpg',
  'main.deadbeef.js',
  'main.12345678.js',
  'id-550e8400-e29b-41d4-a716-446655440abc.json',
  'page.6c00513ab210f38fa42f.html',
  'index-GoDQC6Oc.html',
  '6c00513ab210f38fa42f.js',
  '-GoDQC6Oc.js',
  'GoDQC6Oc.js',
  'indexGoDQC6Oc.js',
  'main-6c00513ab210f38fa42f',
  'main.6c00513ab210f38fa42f/app.js',
  'x_next/static/app.js',
  'manifest.json',
  'sw.js',
  'v1.2.3',
  '',
  '.',
  '.js',
  '-',
])('%s may change', (path) => {
  expect(isFingerprinted(path)).toBe(false);
});

test('a name of any shape is looked at to its end', () => {
  for (const part of ['-', '_', '.', 'a', '0a', '-a', 'Aa1', '.0a'])
    for (const end of ['', '!', '.js', '.map']) isFingerprinted(part.repeat(1024) + end);
});
