import type { NameKey } from '../../../api/rdata/name.ts';

export {
  isWithin,
  LABEL_BYTES_MAX,
  NAME_BYTES_MAX,
  type NameKey,
  nameText,
  parentOf,
  parseName,
  ROOT,
  readName,
} from '../../../api/rdata/name.ts';

/** `*.` before the name (RFC 4592 §2.1.1). */
export function wildcardUnder(key: NameKey): NameKey {
  return `\x01*${key}` as NameKey;
}

export function isWildcard(key: NameKey): boolean {
  return key.startsWith('\x01*');
}
