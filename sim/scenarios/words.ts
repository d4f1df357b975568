import { parseDurationMs } from '../../api/duration.ts';
import { kindOf } from '../../api/kinds.ts';
import type { Value } from './reader.ts';

/** Who there is to act upon. */
export interface World {
  readonly nodes: readonly string[];
  readonly doms: readonly string[];
}

/** Releases of one site that a scenario may speak of. */
export const VERSIONS_MAX = 99;

/** `Site/blog`, with the kind as manifests write it. */
export function parseReference(value: Value): { readonly kind: string; readonly name: string } {
  const [kind = '', name = '', ...more] = value.text().split('/');
  if (kindOf(kind)?.kind !== kind || name === '' || more.length > 0)
    return value.fail('must be Kind/name, such as Site/blog');
  return { kind, name };
}

/** "30s" in milliseconds. */
export function parseDuration(value: Value): number {
  const ms = parseDurationMs(value.text());
  return ms ?? value.fail('must be a duration, such as 30s');
}

/** `{ site: blog, version: 2 }` */
export function siteAndVersion(value: Value): { readonly site: string; readonly version: number } {
  const fields = value.fields(['site', 'version']);
  const version = fields.need('version').integer({ min: 1, max: VERSIONS_MAX });
  return { site: fields.need('site').text(), version };
}
