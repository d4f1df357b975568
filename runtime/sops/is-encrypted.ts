import type { ManifestDocument } from '../../api/manifest.ts';

type ObjectDocument = Extract<ManifestDocument, { readonly kind: 'object' }>;

/** Whether a document has a sops block, as what SOPS encrypts has. */
export function isEncrypted(document: ManifestDocument): document is ObjectDocument {
  return document.kind === 'object' && sopsOf(document.raw) !== undefined;
}

/** What is under `sops` in a document. */
export function sopsOf(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, 'sops')) return undefined;
  const { sops } = raw as { readonly sops?: unknown };
  return typeof sops === 'object' && sops !== null ? sops : undefined;
}
