import { type ManifestDocument, parseManifests } from '../../api/manifest.ts';
import { formatPath } from '../../api/path.ts';
import type { AgeKeys } from './age-keys.ts';
import { findDataKey } from './data-key.ts';
import { isEncrypted, sopsOf } from './is-encrypted.ts';
import { openDocuments } from './open-documents.ts';
import { parseSopsBlock } from './sops-block.ts';

/** How large an encrypted file may be. */
const SOPS_BYTES_MAX = 1_000_000;

/**
 * Parses manifests, and decrypts those of a file that SOPS has encrypted. A text in place of keys says
 * why there are none. One problem is enough for nothing of an encrypted file to be read.
 */
export async function parseSopsManifests(
  text: string,
  source: string,
  keys: AgeKeys | string,
): Promise<readonly ManifestDocument[]> {
  const documents = parseManifests(text, source);
  const [first] = documents.filter(isEncrypted);
  if (first === undefined) return documents;
  const line = first.locate('sops');
  const refused = (problem: string, at = line): readonly ManifestDocument[] => [
    { kind: 'error', message: `${source}:${at} ${problem}` },
  ];
  const broken = documents.find(({ kind }) => kind === 'error');
  if (broken !== undefined) return [broken];
  if (typeof keys === 'string') return refused(`is encrypted with SOPS: ${keys}`);
  if (Buffer.byteLength(text) > SOPS_BYTES_MAX)
    return refused(`is encrypted, and larger than ${SOPS_BYTES_MAX} bytes; split it`);
  const read = parseSopsBlock(sopsOf(first.raw));
  if (read.kind === 'problem') return refused(`cannot be decrypted: ${read.problem}`);
  const found = await findDataKey(read.block, keys);
  if (found.kind === 'problem') return refused(`cannot be decrypted: ${found.problem}`);
  return parseManifests(text, source, (parsed) => {
    const wrong = openDocuments(parsed, read.block, found.key);
    if (wrong === undefined) return undefined;
    const { document, steps, problem } = wrong;
    return { document, path: formatPath(steps), problem };
  });
}
