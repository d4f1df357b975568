import {
  createHash,
  createPublicKey,
  type JsonWebKeyInput,
  type KeyObject,
  verify,
} from 'node:crypto';

/** What is in an armored signature of ssh (OpenSSH's PROTOCOL.sshsig). */
export interface SshSignature {
  /** The public key (RFC 4253 §6.6). */
  readonly key: Buffer;
  /** `git` for Git. */
  readonly namespace: string;
  readonly hash: 'sha256' | 'sha512';
  readonly reserved: Buffer;
  readonly signature: Buffer;
}

const MAGIC = Buffer.from('SSHSIG');
/** Keys of RSA are the longest: 16,384 bits are 2 KiB, twice. */
const ARMOR_LENGTH_MAX = 16_384;
/** Shorter ones can be broken. */
const RSA_BITS_MIN = 2048;
const RSA_BITS_MAX = 16_384;

/** Undefined: it is none. */
export function parseSshSignature(armor: string): SshSignature | undefined {
  if (armor.length > ARMOR_LENGTH_MAX) return undefined;
  const match =
    /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n*$/.exec(
      armor.replaceAll('\r', ''),
    );
  const wire = new Wire(Buffer.from(match?.[1] ?? '', 'base64'));
  if (!wire.bytes(MAGIC.length)?.equals(MAGIC) || wire.number() !== 1) return undefined;
  const [key, namespace, reserved, hash, signature] = Array.from({ length: 5 }, () =>
    wire.string(),
  );
  if (!(key && namespace && reserved && hash && signature) || !wire.isAtEnd) return undefined;
  const hashName = hash.toString('latin1');
  if (hashName !== 'sha256' && hashName !== 'sha512') return undefined;
  return { key, namespace: namespace.toString('latin1'), hash: hashName, reserved, signature };
}

/** Whether the key that it names has made it over these bytes. */
export function isSshSignatureOf(signature: SshSignature, payload: Uint8Array): boolean {
  const { key, namespace, reserved, hash } = signature;
  const signed = Buffer.concat([
    MAGIC,
    ...[Buffer.from(namespace, 'latin1'), reserved, Buffer.from(hash)].map(wireString),
    wireString(createHash(hash).update(payload).digest()),
  ]);
  const outer = new Wire(signature.signature);
  const [algorithm, blob] = [outer.string()?.toString('latin1'), outer.string()];
  const found = publicKey(key);
  if (found === undefined || algorithm === undefined || blob === undefined) return false;
  try {
    return isSignedBy(found, { algorithm, blob, tail: outer.rest() }, signed);
  } catch {
    // A point that is on no curve, for one.
    return false;
  }
}

interface FoundKey {
  readonly type: string;
  readonly object: KeyObject;
  /** Of a key in hardware: what it was made for. */
  readonly application: Buffer | undefined;
}

interface Inner {
  readonly algorithm: string;
  readonly blob: Buffer;
  /** Of a key in hardware: its flags and counter. */
  readonly tail: Buffer;
}

function isSignedBy(key: FoundKey, { algorithm, blob, tail }: Inner, signed: Buffer): boolean {
  if (key.type === 'ssh-rsa') {
    // RFC 8332: not with SHA-1, whose name is that of the key.
    const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
    return hash !== undefined && tail.length === 0 && verify(hash, signed, key.object, blob);
  }
  if (algorithm !== key.type) return false;
  const over =
    key.application === undefined ? signed : hardwareSigned(key.application, tail, signed);
  if (over === undefined || (key.application === undefined && tail.length > 0)) return false;
  if (key.type.includes('ed25519')) return verify(undefined, over, key.object, blob);
  const curve = CURVES[key.type];
  const raw = curve === undefined ? undefined : rawSignature(blob, curve.sizeBytes);
  if (curve === undefined || raw === undefined) return false;
  return verify(curve.hash, over, { key: key.object, dsaEncoding: 'ieee-p1363' }, raw);
}

/** What hardware signs (PROTOCOL.u2f); undefined unless a person was there to touch it. */
function hardwareSigned(application: Buffer, tail: Buffer, signed: Buffer): Buffer | undefined {
  if (tail.length !== 5 || ((tail[0] ?? 0) & 1) === 0) return undefined;
  const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  return Buffer.concat([digest(application), tail, digest(signed)]);
}

/** RFC 5656 §3.1.2: two numbers, which are wanted at their full length. */
function rawSignature(blob: Buffer, sizeBytes: number): Buffer | undefined {
  const wire = new Wire(blob);
  const numbers = [wire.string(), wire.string()].map((each) => each && padded(each, sizeBytes));
  const [r, s] = numbers;
  return r === undefined || s === undefined || !wire.isAtEnd ? undefined : Buffer.concat([r, s]);
}

function padded(number: Buffer, sizeBytes: number): Buffer | undefined {
  const bare = number[0] === 0 ? number.subarray(1) : number;
  if (bare.length > sizeBytes) return undefined;
  return Buffer.concat([Buffer.alloc(sizeBytes - bare.length), bare]);
}

interface Curve {
  readonly name: string;
  readonly crv: string;
  readonly hash: string;
  readonly sizeBytes: number;
}

const P256: Curve = { name: 'nistp256', crv: 'P-256', hash: 'sha256', sizeBytes: 32 };
const CURVES: Readonly<Record<string, Curve>> = {
  'ecdsa-sha2-nistp256': P256,
  'sk-ecdsa-sha2-nistp256@openssh.com': P256,
  'ecdsa-sha2-nistp384': { name: 'nistp384', crv: 'P-384', hash: 'sha384', sizeBytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', crv: 'P-521', hash: 'sha512', sizeBytes: 66 },
};

function publicKey(blob: Buffer): FoundKey | undefined {
  const wire = new Wire(blob);
  const type = wire.string()?.toString('latin1') ?? '';
  const jwk = jwkOf(type, wire);
  const application = type.startsWith('sk-') ? wire.string() : undefined;
  if (jwk === undefined || !wire.isAtEnd) return undefined;
  if (type.startsWith('sk-') && application === undefined) return undefined;
  try {
    return { type, application, object: createPublicKey({ key: jwk, format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

function jwkOf(type: string, wire: Wire): JsonWebKeyInput['key'] | undefined {
  if (type === 'ssh-ed25519' || type === 'sk-ssh-ed25519@openssh.com') {
    const x = wire.string();
    return x?.length === 32 ? { kty: 'OKP', crv: 'Ed25519', x: url64(x) } : undefined;
  }
  if (type === 'ssh-rsa') {
    const [e, n] = [wire.string(), wire.string()];
    const bits = 8 * (n?.length ?? 0);
    if (!e || !n || e.length > 8 || bits < RSA_BITS_MIN || bits > RSA_BITS_MAX + 8)
      return undefined;
    return { kty: 'RSA', e: url64(e), n: url64(n) };
  }
  const curve = CURVES[type];
  if (curve === undefined || wire.string()?.toString('latin1') !== curve.name) return undefined;
  const point = wire.string();
  // SEC 1 §2.3.3: whole, not compressed.
  if (point?.length !== 1 + 2 * curve.sizeBytes || point[0] !== 4) return undefined;
  const middle = 1 + curve.sizeBytes;
  const [x, y] = [point.subarray(1, middle), point.subarray(middle)];
  return { kty: 'EC', crv: curve.crv, x: url64(x), y: url64(y) };
}

function url64(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function wireString(bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/** RFC 4251 §5, read from the front; what is not there reads as undefined. */
class Wire {
  readonly #all: Buffer;
  #at = 0;

  constructor(all: Buffer) {
    this.#all = all;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#all.length;
  }

  bytes(sizeBytes: number): Buffer | undefined {
    if (this.#at + sizeBytes > this.#all.length) return undefined;
    this.#at += sizeBytes;
    return this.#all.subarray(this.#at - sizeBytes, this.#at);
  }

  number(): number | undefined {
    return this.bytes(4)?.readUInt32BE();
  }

  string(): Buffer | undefined {
    const sizeBytes = this.number();
    return sizeBytes === undefined ? undefined : this.bytes(sizeBytes);
  }

  rest(): Buffer {
    return this.bytes(this.#all.length - this.#at) ?? Buffer.alloc(0);
  }
}
