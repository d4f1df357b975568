import type { AgeKeys } from './age-keys.ts';
import { combineShares } from './shamir.ts';
import type { AgeRecipient, SopsBlock } from './sops-block.ts';

/** The key that the values of a file are encrypted with, or why it cannot be had. */
export type DataKeyFound =
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'problem'; readonly problem: string };

const TOLD_MAX = 3;

/** Opens one part for each group; of several groups, parts are put together. */
export async function findDataKey(
  { groups, threshold }: SopsBlock,
  keys: AgeKeys,
): Promise<DataKeyFound> {
  const parts: Uint8Array[] = [];
  for (const group of groups) {
    const part = await openPart(group, keys);
    if (part !== undefined) parts.push(part);
  }
  if (parts.length < Math.min(threshold, groups.length)) return problem(missing(groups, keys));
  const key = groups.length === 1 ? parts[0] : combineShares(parts.slice(0, threshold));
  if (key?.length === 32) return { kind: 'key', key };
  return problem('its data key is none: encrypt it again');
}

async function openPart(
  group: readonly AgeRecipient[],
  keys: AgeKeys,
): Promise<Uint8Array | undefined> {
  for (const { recipient, enc } of group) {
    const part = keys.has(recipient) ? await keys.open(recipient, enc) : undefined;
    if (part !== undefined) return part;
  }
  return undefined;
}

function missing(groups: readonly (readonly AgeRecipient[])[], keys: AgeKeys): string {
  const recipients = groups.flat().map(({ recipient }) => recipient);
  if (recipients.some((recipient) => keys.has(recipient)))
    return `its data key was changed, or too few of its groups have a key in ${keys.from}`;
  const shown = recipients.slice(0, TOLD_MAX).map(printableRecipient).join(', ');
  return `it is encrypted for ${shown}, and ${keys.from} has none of these keys: add it there, or run sops updatekeys`;
}

/** A file may say anything. */
function printableRecipient(text: string): string {
  return /^[a-z0-9]+$/.test(text) ? text.slice(0, 80) : 'a recipient that is none';
}

function problem(text: string): DataKeyFound {
  return { kind: 'problem', problem: text };
}
