import { kindOf, kinds } from './kinds.ts';
import { didYouMean } from './nearest.ts';
import { API_VERSION } from './object.ts';
import { type Shape, shapeOf } from './shape.ts';

export type Explanation =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string };

/** Explains a kind or a field of it, as kubectl does: `site`, `sites.spec.tls`, `zo.spec.records.name`. */
export function explain(path: string, depth: 'one level' | 'names' = 'one level'): Explanation {
  const [name = '', ...fields] = path
    .replaceAll(/\[\d*\]/g, '')
    .split('.')
    .filter(Boolean);
  const kind = kindOf(name);
  if (kind === undefined) {
    const meant = didYouMean(
      name,
      kinds.flatMap((each) => [each.singular, each.plural]),
    );
    const known = kinds.map((each) => each.singular).join(', ');
    return {
      kind: 'error',
      message: `there is no kind "${name}"${meant || `; there are ${known}`}`,
    };
  }
  let shape = shapeOf(kind);
  const walked = [kind.singular];
  for (const field of fields) {
    const next = shape.fields.get(field);
    if (next === undefined) return unknownField(field, walked.join('.'), shape);
    walked.push(field);
    shape = next;
  }
  const head = [`KIND:     ${kind.kind}`, `VERSION:  ${API_VERSION}`, ''];
  const last = fields.at(-1);
  const heading = last === undefined ? [] : [`FIELD: ${last} <${shape.type}>${notes(shape)}`, ''];
  const description = ['DESCRIPTION:', ...indent(shape.description, 4), ''];
  return {
    kind: 'text',
    text: [
      ...[...head, ...heading, ...description],
      ...(depth === 'names' ? nameLines(shape) : fieldLines(shape)),
    ].join('\n'),
  };
}

/** How wide explanations are. */
const WIDTH = 80;

function unknownField(field: string, parent: string, shape: Shape): Explanation {
  const known = [...shape.fields.keys()];
  const has = known.length === 0 ? ', which has none' : `, which has ${known.join(', ')}`;
  const message = `"${field}" is not a field of ${parent}${didYouMean(field, known) || has}`;
  return { kind: 'error', message };
}

function fieldLines(shape: Shape): readonly string[] {
  if (shape.fields.size === 0) return [];
  const fields = [...shape.fields].flatMap(([name, field]) => [
    `  ${name} <${field.type}>${notes(field)}`,
    ...indent(field.description, 4),
    '',
  ]);
  return ['FIELDS:', ...fields];
}

/** Every field below with its type, as `kubectl explain --recursive` has them. */
function nameLines(shape: Shape): readonly string[] {
  if (shape.fields.size === 0) return [];
  const lines = (fields: Shape['fields'], indent: string): readonly string[] =>
    [...fields].flatMap(([name, field]) => [
      `${indent}${name} <${field.type}>${field.presence === 'required' ? ' -required-' : ''}`,
      ...lines(field.fields, `${indent}  `),
    ]);
  return ['FIELDS:', ...lines(shape.fields, '  ')];
}

/** ` -required-`, the words, bounds and default of a field. */
function notes(shape: Shape): string {
  return [
    shape.presence === 'required' ? ' -required-' : '',
    shape.words.length > 0 ? ` one of ${shape.words.join(', ')}` : '',
    shape.bounds === '' ? '' : ` ${shape.bounds}`,
    shape.default === undefined ? '' : ` (default ${shape.default})`,
  ].join('');
}

/** Wraps a text at words. */
function indent(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && columns + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${' '.repeat(columns)}${each}`);
}
