import type { Site } from '../../api/site.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';

/** `sha256-0123456789ab`: enough of a digest to tell releases apart. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256-'.length + 12);
}

/** So many that a person still reads them. */
const SHOWN_MAX = 10;

/** `a, b and 3 more`. */
export function shortList(items: readonly string[]): string {
  const more = items.length - SHOWN_MAX;
  const shown = items.slice(0, SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const ERROR_MAX = 120;

/** `london`, or `london (what it says is wrong)`, cut so that a row of nodes stays readable. */
export function nameWithError(edge: NodeView, site: Site): string {
  const error = edge.site(site.metadata.uid)?.error ?? '';
  const shown = error.length > ERROR_MAX ? `${error.slice(0, ERROR_MAX)}…` : error;
  return shown === '' ? edge.name : `${edge.name} (${shown})`;
}
