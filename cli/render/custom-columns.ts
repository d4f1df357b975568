import { NONE } from '../../api/column.ts';
import type { Column } from '../../api/kind.ts';
import { parsePath, scalar, select } from './jsonpath.ts';

/**
 * The columns of `-o custom-columns=NAME:.metadata.name,HOSTS:.spec.hosts[*]`, as kubectl has them:
 * several values of one cell are parted by commas. Throws an Error that says what is wrong.
 */
export function parseCustomColumns(text: string): readonly Column[] {
  const specs = text.split(/,(?=[^,\s:{}[\]()]+:)/);
  return specs.map((spec) => {
    const cut = spec.indexOf(':');
    const [header, path] = [spec.slice(0, cut).trim(), spec.slice(cut + 1).trim()];
    if (cut < 1 || header === '' || path === '')
      throw new Error(
        `custom-columns: "${spec}" is not HEADER:PATH; write e.g. custom-columns=NAME:.metadata.name,TTL:.spec.ttl`,
      );
    const steps = parsePath(path);
    return {
      header,
      value(object) {
        const found = select(steps, object);
        return found.length === 0 ? NONE : found.map(scalar).join(',');
      },
    };
  });
}
