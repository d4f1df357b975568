import { NONE } from '../../api/column.ts';
import type { Column } from '../../api/kind.ts';
import type { Resource } from '../../api/object.ts';

/** The columns of a table beside those of its kind, as flags of `get` ask for them. */
export function moreColumnsOf({
  wide,
  labelColumns = [],
  showLabels,
}: {
  readonly wide: boolean;
  /** Keys of labels. */
  readonly labelColumns?: readonly string[];
  readonly showLabels?: true;
}): readonly Column[] {
  const columns = labelColumns.map((key) => ({
    header: key.replace(/^.*\//, '').toUpperCase(),
    value: ({ metadata }: Resource) => metadata.labels?.[key] ?? '',
  }));
  return [...(wide ? [CREATED] : []), ...columns, ...(showLabels === true ? [LABELS] : [])];
}

/** Beside AGE, which rounds. */
const CREATED: Column = {
  header: 'CREATED',
  value: ({ metadata }) => metadata.creationTimestamp,
};

const LABELS: Column = {
  header: 'LABELS',
  value({ metadata: { labels = {} } }) {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return pairs.length === 0 ? NONE : pairs.toSorted().join(',');
  },
};
