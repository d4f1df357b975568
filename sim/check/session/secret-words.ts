import type { Secret } from '../check.ts';

/** So short a piece may be anywhere by chance. */
const PIECE_CHARACTERS_MIN = 16;
/** Tokens that are looked for at a time, the newest: they are given away as they are used. */
const TOKENS_MAX = 32;
/** So many characters in a row are enough to suspect a piece. */
const WINDOW_CHARACTERS = 8;
/** Every so many characters a text is looked at: each piece has a window that begins there. */
const STEP_CHARACTERS = PIECE_CHARACTERS_MIN - WINDOW_CHARACTERS + 1;
/** A bit for each hash of a window; most windows of a text stop there. */
const BITS = 18;
/** `-----BEGIN PRIVATE KEY-----` and the end of the line, in whole groups of base64. */
const HEADER_CHARACTERS = 40;

/** Where in a piece a window begins. */
interface Window {
  readonly piece: string;
  readonly offset: number;
}

/**
 * Knows the secrets of a world by the pieces that would give them away, and finds them in texts. All
 * that is said and sent is looked through, so it reads only a window of it every few characters: of a
 * piece, one of the first of its windows lies at such a place, wherever it stands.
 */
export class SecretWords {
  readonly #byPiece = new Map<string, Secret>();
  /** By hash; those of pieces that were forgotten stay, and lead to nothing. */
  readonly #windows = new Map<number, Window[]>();
  readonly #suspected = new Uint32Array(2 ** (BITS - 5));

  add(secret: Secret): void {
    for (const piece of piecesOf(secret)) {
      if (piece.length < PIECE_CHARACTERS_MIN) continue;
      if (!this.#byPiece.has(piece)) this.#addWindows(piece);
      this.#byPiece.set(piece, secret);
    }
    if (secret.kind === 'token') this.#forgetOldTokens();
  }

  #addWindows(piece: string): void {
    for (let offset = 0; offset < STEP_CHARACTERS; offset += 1) {
      const hash = hashAt(piece, offset);
      const same = this.#windows.get(hash) ?? [];
      this.#windows.set(hash, [...same, { piece, offset }]);
      const bit = hash >>> (32 - BITS);
      this.#suspected[bit >>> 5] = (this.#suspected[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  #forgetOldTokens(): void {
    const tokens = [...this.#byPiece].filter(([, { kind }]) => kind === 'token');
    for (const [piece] of tokens.slice(0, -TOKENS_MAX)) this.#byPiece.delete(piece);
  }

  /** The secrets that the text gives away, one for each place. Bytes: as Latin-1. */
  in(text: string): readonly Secret[] {
    const found: Secret[] = [];
    for (let at = 0; at <= text.length - WINDOW_CHARACTERS; at += STEP_CHARACTERS) {
      const hash = hashAt(text, at);
      const bit = hash >>> (32 - BITS);
      if (((this.#suspected[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) continue;
      for (const { piece, offset } of this.#windows.get(hash) ?? []) {
        const secret = this.#byPiece.get(piece);
        if (secret !== undefined && text.startsWith(piece, at - offset)) found.push(secret);
      }
    }
    return found;
  }
}

/** Of the window that begins there: 32 bits. */
function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let index = at; index < at + WINDOW_CHARACTERS; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93) ^ (hash >>> 15);
  return Math.imul(hash, 0x9e_37_79_b1) >>> 0;
}

function piecesOf(secret: Secret): readonly string[] {
  switch (secret.kind) {
    case 'token':
    case 'mac key':
    case 'password':
      return [secret.text];
    case 'seal key':
    case 'cookie secret': {
      const bytes = Buffer.from(secret.bytes);
      const texts = (['hex', 'base64', 'base64url', 'latin1'] as const).map((as) =>
        bytes.toString(as).replace(/=+$/, ''),
      );
      // As JSON has bytes that nobody encoded.
      return [...new Set(texts), bytes.join(','), numbered(bytes)];
    }
    case 'key':
    case 'zone key':
    case 'account key': {
      const lines = secret.pem.split('\n').filter((line) => !line.startsWith('-----'));
      const body = lines.toSorted((one, other) => other.length - one.length)[0] ?? '';
      const wrapped = Buffer.from(secret.pem).toString('base64');
      return [
        body,
        Buffer.from(body, 'base64').toString('hex'),
        wrapped.slice(HEADER_CHARACTERS),
      ].map((piece) => piece.replace(/=+$/, ''));
    }
  }
}

/** `"0":17,"1":5,…`: a Uint8Array as JSON has it. */
function numbered(bytes: Uint8Array): string {
  return [...bytes].map((byte, index) => `"${index}":${byte}`).join(',');
}
