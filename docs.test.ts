/** What the pages say of each other, and of manifests, is so. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatViolation, type ManifestDocument, parseManifests } from './api/manifest.ts';
import { validateObject } from './api/validate.ts';
import { type Block, blocksOf, filledIn } from './e2e/support/documents.ts';

const ROOT = import.meta.dirname;
const pages = pagesIn(ROOT);

describe('links', () => {
  test('there are pages, and links between them', () => {
    expect(pages.length).toBeGreaterThan(30);
    expect(linksOf('see [a](b.md#c) and ![d](e.png), not `[x](y)`')).toEqual(['b.md#c', 'e.png']);
    expect(anchorsOf('# What `b8sctl` *does*: a, b\n## Same\n## Same\n')).toEqual(
      new Set(['what-b8sctl-does-a-b', 'same', 'same-1']),
    );
  });

  test.each(pages)('of %s lead somewhere', (page) => {
    const broken = linksOf(proseOf(read(page))).flatMap((link) => problemOf(link, page) ?? []);
    expect(broken).toEqual([]);
  });
});

describe('manifests', () => {
  const withYaml = pages.filter((page) => yamlOf(page).length > 0);

  test.each(withYaml)('of %s are as the schemas want them', (page) => {
    const problems = yamlOf(page).flatMap((block) => problemsOf(block, page));
    expect(problems).toEqual([]);
  });

  test('a manifest that is wrong would be seen', () => {
    const block = (...lines: string[]): Block => ({ language: 'yaml', line: 1, lines });
    expect(problemsOf(block('spec:', '  hostz: [a.example.com]'), 'x.md')).toHaveLength(1);
    const head = ['apiVersion: b8s.dev/v1', 'kind: Site', 'metadata: { name: a }'];
    expect(problemsOf(block(...head, 'spec: { hosts: [a] }'), 'x.md')).toHaveLength(1);
  });
});

function pagesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !/^(?:\.|node_modules$|dist$|coverage$)/u.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return pagesIn(path);
      return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
    })
    .toSorted();
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Without what stands there as code. */
function proseOf(text: string): string {
  return text.replaceAll(/^ *```.*?^ *```$/gmsu, '');
}

/** The targets of links and pictures. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/`[^`\n]*`/gu, 'code');
  return [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/gu)].map(([, target = '']) => target);
}

function problemOf(link: string, page: string): string | undefined {
  if (/^[a-z]+:/iu.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), decodeURI(path));
  if (!existsSync(join(ROOT, target))) return `${page}: ${link}: there is no ${target}`;
  if (anchor === undefined || !target.endsWith('.md')) return undefined;
  const known = anchorsOf(read(target));
  return known.has(anchor) ? undefined : `${page}: ${link}: ${target} has no heading #${anchor}`;
}

/** As GitHub calls the headings of a page: letters, digits, `-` and `_`; blanks become `-`. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(text).matchAll(/^#{1,6} +(.+?)\s*#*$/gmu)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = [...anchors].filter((each) => each === slug || isNumbered(each, slug)).length;
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

function isNumbered(anchor: string, slug: string): boolean {
  return anchor.startsWith(`${slug}-`) && /^\d+$/u.test(anchor.slice(slug.length + 1));
}

function yamlOf(page: string): readonly Block[] {
  return blocksOf(join(ROOT, page)).filter(({ language }) => language === 'yaml');
}

/** What a part of a spec, without its kind, may belong to, with as little as such an object needs. */
const LEAST: Readonly<Record<string, object>> = {
  Site: { hosts: ['a.example.com'] },
  Zone: { origin: 'example.com' },
  Repository: { url: 'https://git.example.com/a.git' },
  Node: { ipv4: ['192.0.2.1'] },
  Certificate: { names: ['a.example.com'] },
};

function problemsOf({ lines, line }: Block, page: string): readonly string[] {
  // So that lines are those of the page.
  return parseManifests(`${'\n'.repeat(line - 1)}${filledIn(lines)}`, page).flatMap((document) => {
    if (document.kind === 'error') return [document.message];
    const raw = document.raw as { readonly kind?: string; readonly spec?: object };
    if (raw.kind !== undefined) return violationsOf(raw, document);
    const spec = raw.spec ?? raw;
    // A scenario of the simulation, which sim/scenarios checks.
    if ('steps' in spec) return [];
    const tried = Object.keys(LEAST).map((kind) => violationsOf({ ...HEAD, kind, spec }, document));
    return tried.toSorted((one, other) => one.length - other.length)[0] ?? [];
  });
}

const HEAD = { apiVersion: 'b8s.dev/v1', metadata: { name: 'a' } };

function violationsOf(
  raw: { readonly kind?: string; readonly spec?: object },
  document: Extract<ManifestDocument, { readonly kind: 'object' }>,
): readonly string[] {
  const spec = { ...LEAST[raw.kind ?? ''], ...raw.spec };
  const validation = validateObject({ ...raw, spec });
  if (validation.kind === 'valid') return [];
  return validation.violations.map((violation) => formatViolation(violation, document));
}
