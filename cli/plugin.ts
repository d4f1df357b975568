import type { Plugins } from '../runtime/plugins.ts';

export const PLUGIN_PREFIX = 'b8sctl-';

/**
 * Runs the plugin that the words name, as kubectl does: of `b8sctl foo bar x`, b8sctl-foo-bar with
 * `x`, or else b8sctl-foo with `bar x`. A dash in a word is `_` in the file's name. Resolves to its
 * exit code; undefined: there is none.
 */
export async function runPlugin(
  words: readonly string[],
  plugins: Plugins,
): Promise<number | undefined> {
  const end = words.findIndex((word) => !/^[a-z0-9][a-z0-9_-]*$/i.test(word));
  const names = words
    .slice(0, end === -1 ? words.length : end)
    .map((word) => word.replaceAll('-', '_'));
  for (let count = Math.min(names.length, WORDS_MAX); count > 0; count -= 1) {
    const path = await plugins.find(PLUGIN_PREFIX + names.slice(0, count).join('-'));
    if (path !== undefined) return await plugins.run(path, words.slice(count));
  }
  return undefined;
}

/** How many words a plugin's name may have. */
const WORDS_MAX = 8;
