import type { Kind } from './kind.ts';
import { API_VERSION } from './object.ts';
import { type Shape, shapeOf } from './shape.ts';

/** The page of a kind in docs/reference, as Markdown. */
export function renderReference(kind: Kind): string {
  const shape = shapeOf(kind);
  const spec = shape.fields.get('spec');
  const status = shape.fields.get('status');
  return [
    '<!-- Generated from api/ by `make gen`; do not edit. -->',
    `# ${kind.kind}`,
    '',
    kind.description,
    '',
    ...facts(kind),
    '',
    ...section('spec', spec),
    ...section('status', status),
    '## Columns',
    '',
    `\`b8sctl get ${kind.plural}\` shows ${columns(kind, 'narrow')}${wideColumns(kind)}.`,
    '',
  ].join('\n');
}

function wideColumns(kind: Kind): string {
  const wide = columns(kind, 'wide');
  return wide === '' ? '' : `; with \`-o wide\` also ${wide}`;
}

function facts(kind: Kind): readonly string[] {
  const names = [kind.plural, kind.singular, ...kind.shortNames].map((name) => `\`${name}\``);
  return [
    `- apiVersion: \`${API_VERSION}\``,
    `- Names on the command line: ${names.join(', ')}`,
    `- Scope: ${kind.scope}`,
    ...(kind.immutable === 'spec' ? ['- Its spec never changes.'] : []),
  ];
}

function section(name: string, shape: Shape | undefined): readonly string[] {
  if (shape === undefined) return [];
  return [
    `## ${name}`,
    '',
    shape.description,
    '',
    '| field | type | default | description |',
    '|---|---|---|---|',
    ...rows(shape, ''),
    '',
  ];
}

function rows(shape: Shape, prefix: string): readonly string[] {
  return [...shape.fields].flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const children = `${path}${field.type.startsWith('[]') ? '[]' : ''}.`;
    return [row(path, field), ...rows(field, children)];
  });
}

function row(path: string, field: Shape): string {
  const presence = field.presence === 'required' ? '**required**' : '';
  const limits = [field.words.map((word) => `\`${word}\``).join(', '), field.bounds].filter(
    Boolean,
  );
  const description = [field.description, ...limits.map((limit) => `(${limit})`)].join(' ');
  const shown = field.default === undefined ? presence : `\`${field.default}\``;
  return `| \`${path}\` | ${field.type} | ${shown} | ${description.replaceAll('|', '\\|')} |`;
}

function columns(kind: Kind, width: 'narrow' | 'wide'): string {
  return kind.columns
    .filter((column) => (column.wide === true) === (width === 'wide'))
    .map((column) => column.header)
    .join(', ');
}
