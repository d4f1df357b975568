import type { ContentCoding } from '../../../runtime/content/content-coding.ts';

/** What a client is sent: a coded form, the file as it is, or nothing that it would take. */
export type ChosenCoding = ContentCoding | 'identity' | 'none';

/**
 * Chooses among the codings that there are, in their order, by `Accept-Encoding` (RFC 9110
 * §12.5.3): the one with the greatest weight, of equal ones the first. The file as it is comes
 * last, unless it is given a weight of its own. Without the header nothing is known of the client,
 * so it gets the file as it is.
 *
 * Total: an element that is not valid counts as not sent. `x-gzip` is `gzip` (§8.4.1.3).
 */
export function chooseCoding(
  header: string | undefined,
  available: readonly ContentCoding[],
): ChosenCoding {
  // Most files that have no coded form are asked for by who refuses nothing.
  if (header === undefined || (available.length === 0 && !header.includes('=0'))) return 'identity';
  if (PLAIN.test(header)) return firstNamed(header, available);
  const weights = parseWeights(header);
  const any = weights.get('*');
  const own = weights.get('identity');
  let [chosen, greatest]: [ChosenCoding, number] = ['none', 0];
  for (const coding of available) {
    const weight = weights.get(coding) ?? any ?? 0;
    if (weight > greatest) [chosen, greatest] = [coding, weight];
  }
  if (own !== undefined) return own > greatest ? 'identity' : chosen;
  // Not named, it is refused only by "*;q=0" (§12.5.3).
  return chosen === 'none' && any !== 0 ? 'identity' : chosen;
}

/** As browsers send it: names alone, all of them liked equally. */
const PLAIN = /^[a-z]+(?:, ?[a-z]+)*$/u;

function firstNamed(header: string, available: readonly ContentCoding[]): ChosenCoding {
  for (const coding of available) {
    const at = header.indexOf(coding);
    if (at < 0) continue;
    const isWord = !isLetter(header.charCodeAt(at - 1));
    if (isWord && !isLetter(header.charCodeAt(at + coding.length))) return coding;
    // A longer name that holds it: rare enough to be read at length.
    if (header.split(/[, ]+/u).includes(coding)) return coding;
  }
  return 'identity';
}

/** Of what `PLAIN` lets through; false for what is outside of the text. */
function isLetter(code: number): boolean {
  return code >= 0x61;
}

/** By name, in lower case; `q` as in §12.4.2. */
function parseWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.split(',', ELEMENTS_MAX)) {
    const semicolon = element.indexOf(';');
    const name = (semicolon < 0 ? element : element.slice(0, semicolon)).trim().toLowerCase();
    const weight = semicolon < 0 ? 1 : parseWeight(element.slice(semicolon + 1));
    if (name === '' || weight === undefined) continue;
    const coding = name === 'x-gzip' ? 'gzip' : name;
    if (!weights.has(coding)) weights.set(coding, weight);
  }
  return weights;
}

/** There are some ten codings in the world. */
const ELEMENTS_MAX = 64;

function parseWeight(parameter: string): number | undefined {
  const text = WEIGHT.exec(parameter)?.groups?.['weight'];
  return text === undefined ? undefined : Number(text);
}

const WEIGHT = /^[ \t]*q=(?<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*$/iu;
