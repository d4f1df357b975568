import type { Column, Kind } from '../../api/kind.ts';
import { kindOf } from '../../api/kinds.ts';
import { API_VERSION, type Resource } from '../../api/object.ts';
import { printable } from '../../runtime/printable.ts';
import { parseCustomColumns } from './custom-columns.ts';
import { type JsonPath, parseJsonPath, renderJsonPath } from './jsonpath.ts';
import { columnWidths, keptColumns, renderTable } from './table.ts';
import { renderJson, renderYaml } from './yaml.ts';

/** What `-o` asks for. */
export type OutputFormat =
  | {
      readonly kind: 'table';
      readonly wide: boolean;
      /** Instead of the kind's own. */
      readonly columns?: readonly Column[];
    }
  | { readonly kind: 'yaml' | 'json' | 'name' }
  | { readonly kind: 'jsonpath'; readonly template: JsonPath };

/** Parses the value of `-o`; throws an Error that names the formats there are. */
export function parseOutputFormat(text: string | undefined): OutputFormat {
  if (text === undefined || text === '') return { kind: 'table', wide: false };
  if (text === 'wide') return { kind: 'table', wide: true };
  if (text === 'yaml' || text === 'json' || text === 'name') return { kind: text };
  if (text.startsWith('jsonpath=')) {
    return { kind: 'jsonpath', template: parseJsonPath(text.slice('jsonpath='.length)) };
  }
  if (text.startsWith('custom-columns=')) {
    const columns = parseCustomColumns(text.slice('custom-columns='.length));
    return { kind: 'table', wide: false, columns };
  }
  throw new Error(
    `unknown output format "${text}": there are custom-columns=…, json, jsonpath=…, name, wide and yaml`,
  );
}

/** How people and scripts name an object: "site.b8s.dev/blog". */
export function qualifiedName(object: {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}): string {
  return printable(`${object.kind.toLowerCase()}.b8s.dev/${object.metadata.name}`);
}

/** A single object as itself, several as a List. */
export function asDocument(objects: readonly Resource[], form: 'object' | 'list'): unknown {
  const [only] = objects;
  if (form === 'object' && only !== undefined) return only;
  return { apiVersion: API_VERSION, kind: 'List', items: objects };
}

/** Objects in any format but a table. */
export function renderDocument(
  format: Exclude<OutputFormat, { readonly kind: 'table' }>,
  objects: readonly Resource[],
  form: 'object' | 'list',
): string {
  switch (format.kind) {
    case 'yaml':
      return renderYaml(asDocument(objects, form));
    case 'json':
      return renderJson(asDocument(objects, form));
    case 'name':
      return objects.map((object) => `${qualifiedName(object)}\n`).join('');
    case 'jsonpath':
      return renderJsonPath(format.template, asDocument(objects, form));
  }
}

export interface ObjectTable {
  /** The table of these objects; the header only at the first call. Later rows keep the widths. */
  render(objects: readonly Resource[], nowMs: number): string;
}

/** A table of objects of one kind that can be continued, as `--watch` does. */
export function objectTable(
  kind: Kind,
  options: {
    readonly wide: boolean;
    readonly withNamespace: boolean;
    /** "site.b8s.dev/blog" instead of "blog": for several kinds in one answer. */
    readonly withKind: boolean;
    /** Instead of the kind's own. */
    readonly columns?: readonly Column[];
    /** After the others. */
    readonly moreColumns?: readonly Column[];
    /** `none`: only rows. */
    readonly header?: 'none';
    /** As wide as the terminal; left out: as wide as it gets. */
    readonly fit?: number;
    /** Left out: a last column that does not fit is cut as others are. */
    readonly last?: 'wrap';
  },
): ObjectTable {
  const own = kind.columns.filter((column) => options.wide || column.wide !== true);
  const all = options.columns ?? [
    ...(options.withNamespace ? [namespaceColumn] : []),
    ...own,
    ...(options.moreColumns ?? []),
  ];
  const { fit: columns = Number.POSITIVE_INFINITY, last = 'cut' } = options;
  const hasHeader = options.header !== 'none';
  const cellOf = (object: Resource, column: Column, nowMs: number): string =>
    options.withKind && column.header === 'NAME'
      ? qualifiedName(object)
      : column.value(object, nowMs);
  let known: { readonly shown: readonly Column[]; readonly widths: readonly number[] } | undefined;
  return {
    render(objects, nowMs) {
      const rowsOf = (some: readonly Column[]) =>
        objects.map((object) => some.map((column) => cellOf(object, column, nowMs)));
      const isFirst = known === undefined;
      // Once some are on the screen, the same ones go on below.
      known ??= { shown: fitting(all, rowsOf(all), columns), widths: [] };
      const { shown } = known;
      const header = shown.map((column) => column.header);
      const rows = rowsOf(shown);
      const widths = columnWidths([...(hasHeader ? [header] : []), ...rows], known.widths);
      known = { shown, widths };
      const isHidden = !isFirst || !hasHeader;
      return renderTable(rows, {
        ...{ widths, columns, last, header },
        ...(isHidden && { headerLine: 'hidden' }),
      });
    },
  };
}

function fitting(
  all: readonly Column[],
  rows: readonly (readonly string[])[],
  columns: number,
): readonly Column[] {
  const header = all.map((column) => column.header);
  const kept = keptColumns(rows, { header, columns, natural: columnWidths([header, ...rows]) });
  return all.filter((_, index) => kept.includes(index));
}

/** The object as people want to see it: without who owns which field, unless they ask. */
export function withoutManagedFields(object: Resource): Resource {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** `sites "blog"`, as the server's errors name objects. */
export function quotedName(kindName: string, name: string): string {
  return `${kindOf(kindName)?.plural ?? kindName} "${printable(name)}"`;
}

export const namespaceColumn: Column = {
  header: 'NAMESPACE',
  value: (object) => object.metadata.namespace ?? '',
};
