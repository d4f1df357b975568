/**
 * Whether a file's name holds a hash of its content, as build tools make it, so that another
 * content would have another name: `index-GoDQC6Oc.js`, `main.6c00513ab210f38fa42f.css`.
 *
 * Strict: who takes `report-20261121.pdf` for such a name keeps readers from its next edition for
 * a year; who overlooks one hash in three costs a 304. So a hash must stand between `.`, `-` or
 * `_` and the extension, mix digits with letters, have a length that tools use, and not read like
 * a word with a number. Pages are looked for by name, so they never count.
 */
export function isFingerprinted(path: string): boolean {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const extension = EXTENSION.exec(name)?.[0];
  if (extension === undefined || PAGE.test(extension)) return false;
  if (FRAMEWORK_FOLDERS.some((folder) => path.startsWith(folder))) return true;
  const stem = name.slice(0, -extension.length);
  const hex = HEX_END.exec(stem)?.groups?.['hash'];
  if (hex !== undefined) return HEX_LENGTHS.has(hex.length) && isMixed(hex);
  // Base64url has "-" and "_" of its own: the hash is what ends the name, by its length.
  if (stem.length < SHORT_HASH + 2 || !SEPARATORS.has(stem.charAt(stem.length - SHORT_HASH - 1)))
    return false;
  const hash = stem.slice(-SHORT_HASH);
  return BASE64URL.test(hash) && isMixed(hash) && (isBase32(hash) || isBase62(hash));
}

/** Everything below is named by its hash, or by that of its build, as their frameworks promise. */
const FRAMEWORK_FOLDERS = ['_app/immutable/', '_next/static/', '_astro/'] as const;

/** `.js`, and with what tools put in between: `.chunk.js`, `.js.map`. */
const EXTENSION = /(?:\.(?:chunk|bundle|min|module|js|mjs|css))?\.[0-9a-z]{1,10}$/iu;
const PAGE = /\.x?html?$/iu;
const SEPARATORS: ReadonlySet<string> = new Set(['.', '-', '_']);

/** Of webpack, Parcel, Hugo and many more. Lengths of dates with a letter and of UUIDs are none. */
const HEX_END = /[^.\-_][.\-_](?<hash>[0-9a-f]{8,128})$/u;
const HEX_LENGTHS: ReadonlySet<number> = new Set([8, 10, 16, 20, 32, 40, 64, 96, 128]);

/** Of Vite, Rollup and esbuild. */
const SHORT_HASH = 8;
const BASE64URL = /^[\w-]+$/u;

function isMixed(hash: string): boolean {
  return /\d/u.test(hash) && /[a-z]/iu.test(hash);
}

/** As esbuild writes it. `WINDOWS7` ends in its only number, and `IPHONE6S` can be spoken. */
function isBase32(hash: string): boolean {
  return /^[A-Z2-7]+$/u.test(hash) && /\d[A-Z]/u.test(hash) && !SPOKEN.test(hash);
}

function isBase62(hash: string): boolean {
  if (!/[a-z]/u.test(hash) || !/[A-Z]/u.test(hash)) return false;
  return !WORD.test(hash) && !NUMBERED.test(hash);
}

/** Two vowels within four letters or more. */
const SPOKEN = /(?=[A-Z]{4})[A-Z]*[AEIOUY][A-Z]*[AEIOUY]/u;
/** Four small letters in a row, one of them a vowel: hashes seldom have that, words always. */
const WORD = /(?=[a-z]{4})[a-z]*[aeiouy]/u;
/** A name, and then nothing but a number: `PlanB123`. */
const NUMBERED = /^\D+\d{2,}$/u;
