import { isIpv4, isIpv6 } from '../address.ts';
import { recordNameProblem } from '../names.ts';
import { type Field, type NameContext, problem } from './field.ts';
import {
  isWholeName,
  LABEL_BYTES_MAX,
  type NameKey,
  nameBytes,
  nameText,
  ROOT,
  readName,
  resolveName,
} from './name.ts';

interface NameOptions {
  /** `compressed`: it may be, for its type is of RFC 1035 (RFC 3597 §4). */
  readonly wire: 'compressed' | 'plain';
  /** `target`: who reads the record will want the addresses of this name. */
  readonly role?: 'target';
}

/** A name that a record points at. */
export function name(label: string, { wire, role }: NameOptions): Field {
  return {
    label,
    takes: 'word',
    parse([word], context) {
      const text = word?.text ?? '';
      const message = pointedNameProblem(text, context);
      if (message !== undefined) return problem(message);
      const key = resolveName(text, context.origin);
      if (key === undefined) return problem(NO_NAME);
      return {
        kind: 'field',
        parts: [wire === 'compressed' ? key : nameBytes(key)],
        text: wholeText(key),
        ...(role === 'target' && { target: key }),
      };
    },
    read(bytes, offset) {
      const found = readName(bytes, offset);
      return found && { text: wholeText(found.key), end: found.end };
    },
  };
}

/** A name with its final dot, as canonical text has it. */
export function wholeText(key: NameKey): string {
  return key === ROOT ? '.' : `${nameText(key)}.`;
}

const NO_NAME = `is not a name: labels of 1 to ${LABEL_BYTES_MAX} bytes with dots in between, e.g. web.example.net.`;

function pointedNameProblem(text: string, { origin, dotted }: NameContext): string | undefined {
  if (text === '.' || text === '@') return undefined;
  if (looksLikeAddress(text)) return 'is an address, and a name is needed';
  if (dotted === 'refused' && text.includes('.') && !isWholeName(text)) {
    const own = `${text}.${nameText(origin)}.`;
    return `needs a final dot: write ${text}. (or ${own} for the name in this zone)`;
  }
  if (dotted === 'refused') return writtenNameProblem(text, origin);
  return resolveName(text, origin) === undefined
    ? (recordNameProblem(text.replace(/\.$/, '').toLowerCase()) ?? NO_NAME)
    : undefined;
}

function looksLikeAddress(text: string): boolean {
  // Cheap for what is none, as nearly all is.
  if (!/^[0-9a-f.:]+$/i.test(text)) return false;
  const bare = text.replace(/\.$/, '');
  return isIpv4(bare) || isIpv6(bare);
}

/**
 * What is wrong with a name as a person wrote it; undefined: nothing. Characters that are rarely
 * meant must be escaped, so that a slip is not taken for a name.
 */
export function writtenNameProblem(text: string, origin: NameKey): string | undefined {
  const key = resolveName(text, origin);
  if (!text.includes('\\')) {
    const lower = text.toLowerCase();
    const whole = isWholeName(lower) ? lower.slice(0, -1) : `${lower}.${nameText(origin)}`;
    return recordNameProblem(whole) ?? (key === undefined ? NO_NAME : undefined);
  }
  return key === undefined ? NO_NAME : undefined;
}
