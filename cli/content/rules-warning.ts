import {
  HEADERS_FILE,
  parseRules,
  REDIRECTS_FILE,
  RULES_FILE_BYTES_MAX,
  type RulesText,
} from '../../runtime/release-rules/release-rules.ts';
import type { LocalRelease } from './release.ts';

/** What edges will skip of a release's own rules, and the mend; undefined: nothing. */
export async function rulesWarning(release: LocalRelease): Promise<string | undefined> {
  const [redirects, headers] = [
    await textOf(release, REDIRECTS_FILE),
    await textOf(release, HEADERS_FILE),
  ];
  return parseRules({ redirects, headers }).warning;
}

async function textOf(release: LocalRelease, path: string): Promise<RulesText> {
  const file = release.files.find((each) => each.path === path);
  if (file === undefined) return undefined;
  const { digest, sizeBytes } = file;
  if (sizeBytes > RULES_FILE_BYTES_MAX) return { sizeBytes };
  const chunks: Uint8Array[] = [];
  for await (const blob of release.blobs([{ digest, heldBytes: 0 }]))
    for await (const chunk of blob.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
