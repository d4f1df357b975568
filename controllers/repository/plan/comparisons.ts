import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../../api/object.ts';
import type { DeclaredObject } from '../../../runtime/api-client.ts';
import { sameJson } from '../../../runtime/same-json.ts';
import { secretContext } from '../../../runtime/secret/secrets.ts';
import type { Sealer } from '../../../runtime/tls/authority.ts';
import { type Declaration, type Drift, driftOf } from './drift.ts';

/**
 * What was found by comparing two objects, until one of them is another one. A Repository may have
 * 10,000 objects, is looked at at every change of one of them, and each look asks for all several
 * times; to compare them anew took dom half a second of each.
 *
 * Assumptions: objects of the mirror and of commits are never changed in place.
 */
export class Comparisons {
  readonly #sealer: Sealer;
  readonly #same = new WeakMap<DeclaredObject, Same>();
  readonly #drift = new WeakMap<Resource, Drifted>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Whether two declarations say the same. Each time a value is sealed it looks another way. */
  same(kept: DeclaredObject, desired: DeclaredObject): boolean {
    const known = this.#same.get(kept);
    if (known?.desired === desired) return known.isSame;
    const isSame = sameDeclared(this.#sealer, kept, desired);
    this.#same.set(kept, { desired, isSame });
    return isSame;
  }

  /** See `driftOf`. */
  drift(declaration: Declaration, live: Resource | undefined): readonly Drift[] {
    const { declared } = declaration;
    const known = live && this.#drift.get(live);
    if (known?.declared === declared) return known.drift;
    const drift = driftOf(declaration, live);
    if (live !== undefined) this.#drift.set(live, { declared, drift });
    return drift;
  }
}

interface Same {
  readonly desired: DeclaredObject;
  readonly isSame: boolean;
}

interface Drifted {
  readonly declared: DeclaredObject;
  readonly drift: readonly Drift[];
}

function sameDeclared(sealer: Sealer, kept: DeclaredObject, desired: DeclaredObject): boolean {
  if (!sameJson(JSON.stringify(kept.metadata), JSON.stringify(desired.metadata))) return false;
  if (kept.kind !== 'Secret')
    return sameJson(JSON.stringify(kept.spec), JSON.stringify(desired.spec));
  return isDeepStrictEqual(opened(sealer, kept), dataOf(desired));
}

function opened(sealer: Sealer, secret: DeclaredObject): Readonly<Record<string, unknown>> {
  const { namespace = '', name } = secret.metadata;
  const open = ([key, sealed]: readonly [string, string]): readonly [string, unknown] => {
    try {
      return [key, sealer.open(sealed, secretContext({ namespace, name, key }))];
    } catch {
      // Sealed with a key that is lost: it is declared anew.
      return [key, undefined];
    }
  };
  return Object.fromEntries(Object.entries(dataOf(secret)).map(open));
}

function dataOf({ spec }: DeclaredObject): Readonly<Record<string, string>> {
  return (spec as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {};
}
