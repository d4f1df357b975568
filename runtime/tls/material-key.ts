import type { MaterialRecord } from '../store/records.ts';
import { canOpen, type Sealer } from './authority.ts';

/**
 * The certificate of that Certificate, if its key can be opened; undefined: there is none that a
 * node could be given, so that another one is needed. Nodes that have it go on with it.
 */
export function keptMaterial(
  sealer: Pick<Sealer, 'open'>,
  certificateUid: string,
  material: MaterialRecord | undefined,
): MaterialRecord | undefined {
  if (material === undefined) return undefined;
  const { sealedKey: sealed } = material;
  return canOpen(sealer, { sealed, context: certificateUid }) ? material : undefined;
}
