import type { Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/object.ts';
import { CommandError } from '../cli.ts';
import { parsePath, select } from '../render/jsonpath.ts';
import { assertKnownField } from './known-field.ts';

/**
 * What `--field-selector spec.ttl=30,metadata.name!=blog` chooses: any field there is, not just the
 * few that kubectl knows. A field that is not set is as an empty text.
 */
export function parseFieldSelector(
  text: string,
  kinds: readonly Kind[],
): (object: Resource) => boolean {
  const requirements = text.split(',').map((part) => {
    const [, path, operator, value] = /^\s*([^=!\s]+)\s*(!=|==?)\s*(.*?)\s*$/.exec(part) ?? [];
    if (path === undefined || value === undefined)
      throw new CommandError(
        `error: --field-selector "${part}" is not FIELD=VALUE or FIELD!=VALUE, e.g. spec.ttl=30`,
      );
    const steps = parsePath(path);
    assertKnownField(steps, { flag: '--field-selector', kinds });
    return { steps, isWanted: operator !== '!=', value };
  });
  return (object) =>
    requirements.every(({ steps, isWanted, value }) => {
      const found = select(steps, object).map((each) =>
        typeof each === 'string' ? each : JSON.stringify(each),
      );
      const isThere = found.length === 0 ? value === '' : found.includes(value);
      return isThere === isWanted;
    });
}
