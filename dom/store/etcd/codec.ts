import type { IKeyValue } from 'etcd3';
import { prefixEnd } from '../../../runtime/store/key-order.ts';
import type { KeyValue } from '../../../runtime/store/store.ts';

export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** Translates between the store's keys and etcd's, which have the store's prefix before them. */
export interface KeyCodec {
  encode(key: string): Buffer;
  decode(key: Buffer): string;
  item(stored: IKeyValue): KeyValue;
  /** All keys with the prefix that are greater than `afterKey`. */
  range(prefix: string, afterKey?: string): KeyRange;
}

export function keyCodec(storePrefix: string): KeyCodec {
  const skipBytes = Buffer.byteLength(storePrefix);

  function encode(key: string): Buffer {
    return Buffer.from(storePrefix + key);
  }

  function decode(key: Buffer): string {
    return key.toString('utf8', skipBytes);
  }

  function item({ key, value, create_revision, mod_revision }: IKeyValue): KeyValue {
    return {
      key: decode(key),
      value: value.toString('utf8'),
      createRevision: BigInt(create_revision),
      modRevision: BigInt(mod_revision),
    };
  }

  function range(prefix: string, afterKey = ''): KeyRange {
    const first = encode(prefix);
    // No key holds NUL, so this is the least key after `afterKey`.
    const next = encode(`${afterKey}\0`);
    const key = Buffer.compare(first, next) > 0 ? first : next;
    const end = prefixEnd(storePrefix + prefix);
    return { key, range_end: end === undefined ? NO_END : Buffer.from(end) };
  }

  return { encode, decode, item, range };
}

/** etcd reads this as "to the last key". */
const NO_END = Buffer.from([0]);
