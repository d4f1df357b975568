import { ageColumn, formatBytes, NONE, nameColumn } from './column.ts';
import { COUNT, type Declared, group, integer, optional, statusGroup, text } from './field.ts';
import { defineKind } from './kind.ts';
import { objectNameProblem } from './names.ts';
import type { Resource } from './object.ts';
import { check } from './rules.ts';

export const releaseSpecSchema = group('What was published. It never changes.', {
  site: text('The Site that it was published for, by name.'),
  files: integer('How many files it has.', COUNT),
  sizeBytes: integer('The sum of the sizes of its files.', COUNT),
});

export const releaseStatusSchema = statusGroup({
  variants: optional(
    group('Compressed forms of its files; absent until there are some.', {
      index: text('The digest of the index that names them.'),
      done: integer('How many files have been looked at, those of the same content once.', COUNT),
      total: integer('How many there are to look at: text of some length.', COUNT),
      savedBytes: integer('How much shorter their shortest forms are, in all.', COUNT),
    }),
  ),
});

export type ReleaseSpec = Declared<typeof releaseSpecSchema>;
export type ReleaseStatus = Declared<typeof releaseStatusSchema>;
/** One immutable published tree; its name is the digest of its manifest, `sha256-<64 hex>`. */
export type Release = Resource<ReleaseSpec, ReleaseStatus>;

export const releaseKind = defineKind({
  kind: 'Release',
  plural: 'releases',
  shortNames: ['rel'],
  scope: 'namespace',
  description:
    'One immutable published tree of files. Its name is the digest of its manifest. Made by `b8sctl apply` and `b8sctl push`.',
  immutable: 'spec',
  spec: releaseSpecSchema,
  status: releaseStatusSchema,
  rules: (release) => [
    ...check(['metadata', 'name'], release.metadata.name, digestProblem),
    ...check(['spec', 'site'], release.spec.site, objectNameProblem),
  ],
  columns: [
    nameColumn,
    { header: 'SITE', value: (release) => release.spec.site },
    { header: 'FILES', value: (release) => String(release.spec.files) },
    { header: 'SIZE', value: (release) => formatBytes(release.spec.sizeBytes) },
    ageColumn,
    { header: 'COMPRESSED', wide: true, value: ({ status }) => formatVariants(status) },
  ],
});

function formatVariants(status: ReleaseStatus | undefined): string {
  const { variants } = status ?? {};
  return variants === undefined ? NONE : `${variants.done}/${variants.total}`;
}

function digestProblem(name: string): string | undefined {
  if (/^sha256-[0-9a-f]{64}$/.test(name)) return undefined;
  return 'must be the digest of its manifest, "sha256-" and 64 lower-case hex digits; `b8sctl push` makes releases';
}
