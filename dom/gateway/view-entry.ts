import type { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';

/**
 * One object of a plan, not made yet: most are as they were the last time, and `version` tells.
 */
export interface ViewEntry {
  readonly key: string;
  /** Changes whenever what `make` would return does. */
  readonly version: string;
  make(): PlanObject;
}

/** Opens a sealed private key: of a certificate, by its uid, or `zone-key/<uid>` of a zone. */
export type OpenKey = (sealed: { readonly sealedKey: string }, context: string) => string;
