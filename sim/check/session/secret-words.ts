import type { Secret } from '../check.ts';

/** So short a piece may be anywhere by chance. */
const PIECE_CHARACTERS_MIN = 16;
/** Tokens that are looked for at a time, the newest: they are given away as they are used. */
const TOKENS_MAX = 32;
/** `-----BEGIN PRIVATE KEY-----` and the end of the line, in whole groups of base64. */
const HEADER_CHARACTERS = 40;

/** Knows the secrets of a world by the pieces that would give them away, and finds them in texts. */
export class SecretWords {
  readonly #byPiece = new Map<string, Secret>();
  #pattern: RegExp | undefined;

  add(secret: Secret): void {
    for (const piece of piecesOf(secret))
      if (piece.length >= PIECE_CHARACTERS_MIN) this.#byPiece.set(piece, secret);
    if (secret.kind === 'token') this.#forgetOldTokens();
    this.#pattern = new RegExp([...this.#byPiece.keys()].map(escaped).join('|'), 'g');
  }

  #forgetOldTokens(): void {
    const tokens = [...this.#byPiece].filter(([, { kind }]) => kind === 'token');
    for (const [piece] of tokens.slice(0, -TOKENS_MAX)) this.#byPiece.delete(piece);
  }

  /** The secrets that the text gives away, one for each place. Bytes: as Latin-1. */
  in(text: string): readonly Secret[] {
    if (this.#pattern === undefined || text.length < PIECE_CHARACTERS_MIN) return [];
    const found = text.match(this.#pattern) ?? [];
    return found.flatMap((piece) => this.#byPiece.get(piece) ?? []);
  }
}

function piecesOf(secret: Secret): readonly string[] {
  switch (secret.kind) {
    case 'token':
    case 'mac key':
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

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
