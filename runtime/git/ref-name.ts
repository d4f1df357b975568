import { greatestVersion, parseRange } from '../../api/semver.ts';
import type { GitRef } from './git.ts';

/**
 * What a remote that has these names calls a ref: `refs/heads/main`. Undefined: no tag is a version in
 * its range. That a branch or tag of that name is there is not said.
 */
export function refName(
  ref: Exclude<GitRef, { readonly kind: 'commit' }>,
  names: Iterable<string>,
): string | undefined {
  switch (ref.kind) {
    case 'head':
      return 'HEAD';
    case 'branch':
      return `refs/heads/${ref.name}`;
    case 'tag':
      return `${TAGS}${ref.name}`;
    case 'semver': {
      // Git tells of what an annotated tag leads to under the tag's name with `^{}`.
      const isTag = (name: string): boolean => name.startsWith(TAGS) && !name.endsWith('^{}');
      const tags = [...names].filter(isTag).map((name) => name.slice(TAGS.length));
      const greatest = greatestVersion(tags, parseRange(ref.range) ?? []);
      return greatest === undefined ? undefined : `${TAGS}${greatest}`;
    }
  }
}

const TAGS = 'refs/tags/';
