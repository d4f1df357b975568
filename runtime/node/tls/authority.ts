import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import { RequestError } from '../../request-error.ts';
import {
  type CertificateAuthority,
  type Identity,
  type IssuedCertificate,
  identityUri,
  type KeyType,
  type SignedCertificate,
} from '../../tls/authority.ts';
import { caHashOf, certificateFingerprint, decodePem, encodePem } from '../../tls/pem.ts';
import { x509 } from './x509.ts';

/** A CA that cannot be replaced without joining every node again should outlive the machines. */
export const CA_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000;
/** How far a leaf's `notBefore` lies back, for clocks that differ. */
export const CLOCK_SKEW_MS = 5 * 60 * 1000;
/** A request holds one key, a name and a signature; more is an attack. */
export const CSR_BYTES_MAX = 16 * 1024;

export interface AuthorityPorts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface CaMaterial {
  readonly caPem: string;
  /** PEM, PKCS #8. A secret: seal it before it is stored. */
  readonly caKeyPem: string;
}

/** A new self-signed CA (ECDSA P-256) that signs leaves only (RFC 5280 §4.2.1.9). */
export async function generateCa(
  options: AuthorityPorts & { readonly name: string },
): Promise<CaMaterial> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const nowMs = options.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(options.random),
    name: [{ CN: [options.name] }],
    notBefore: secondsDown(nowMs - CLOCK_SKEW_MS),
    notAfter: secondsDown(nowMs + CA_LIFETIME_MS),
    signingAlgorithm: ECDSA_SHA256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    caPem: encodePem('CERTIFICATE', new Uint8Array(certificate.rawData)),
    caKeyPem: await exportKey(keys.privateKey),
  };
}

/** The CA over WebCrypto. Throws when the key does not belong to the certificate. */
export async function createAuthority(
  options: AuthorityPorts & CaMaterial,
): Promise<CertificateAuthority> {
  const { caPem, clock, random } = options;
  const ca = new x509.X509Certificate(caPem);
  const signingKey = await importCaKey(options.caKeyPem, ca);

  async function sign(leaf: Leaf): Promise<SignedCertificate> {
    const nowMs = clock.nowMs();
    const caEndMs = ca.notAfter.getTime();
    if (caEndMs <= nowMs) throw new Error('issue a certificate: the CA has expired');
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(random),
      subject: leaf.commonName === undefined ? [] : [{ CN: [leaf.commonName] }],
      issuer: ca.subjectName,
      notBefore: secondsDown(nowMs - CLOCK_SKEW_MS),
      notAfter: secondsDown(Math.min(nowMs + leaf.lifetimeMs, caEndMs)),
      signingAlgorithm: ECDSA_SHA256,
      publicKey: leaf.publicKey,
      signingKey,
      extensions: await extensionsOf(leaf, ca),
    });
    return signedCertificate(certificate);
  }

  async function issue(leaf: Omit<Leaf, 'publicKey'>): Promise<IssuedCertificate> {
    const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHMS[leaf.keyType], true, [
      'sign',
      'verify',
    ]);
    const signed = await sign({ ...leaf, publicKey: keys.publicKey });
    return { ...signed, keyPem: await exportKey(keys.privateKey) };
  }

  return {
    caPem,
    caHash: caHashOf(caPem),
    issueServer({ names, keyType, lifetimeMs }) {
      return issue({ ...serverLeaf(names), keyType, lifetimeMs });
    },
    issueClient({ identity, lifetimeMs }) {
      return issue({ ...clientLeaf(identity), keyType: 'ecdsa-p256', lifetimeMs });
    },
    async signRequest({ csr, identity, lifetimeMs }) {
      const { publicKey, keyType } = await checkRequest(csr);
      return sign({ ...clientLeaf(identity), publicKey, keyType, lifetimeMs });
    },
  };
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const;
const KEY_ALGORITHMS = {
  'ecdsa-p256': P256,
  'rsa-2048': {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-256',
  },
} as const;

interface Leaf {
  readonly commonName: string | undefined;
  readonly names: readonly { readonly type: 'dns' | 'ip' | 'url'; readonly value: string }[];
  readonly usage: 'server' | 'client';
  readonly publicKey: webcrypto.CryptoKey | InstanceType<typeof x509.PublicKey>;
  readonly keyType: KeyType;
  readonly lifetimeMs: number;
}

type LeafNames = Pick<Leaf, 'commonName' | 'names' | 'usage'>;

/** The longest common name (RFC 5280, ub-common-name). */
const COMMON_NAME_CHARACTERS_MAX = 64;

function serverLeaf(names: readonly string[]): LeafNames {
  if (names.length === 0) throw new Error('issue a server certificate: no names');
  return {
    commonName: names.find((name) => name.length <= COMMON_NAME_CHARACTERS_MAX),
    names: names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
    usage: 'server',
  };
}

function clientLeaf(identity: Identity): LeafNames {
  return {
    commonName: identity.name.slice(0, COMMON_NAME_CHARACTERS_MAX),
    names: [{ type: 'url', value: identityUri(identity) }],
    usage: 'client',
  };
}

async function extensionsOf(
  leaf: Leaf,
  ca: InstanceType<typeof x509.X509Certificate>,
): Promise<InstanceType<typeof x509.Extension>[]> {
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  // RSA keys also carry the key exchange of TLS 1.2 (RFC 5246 §7.4.2).
  const usages =
    leaf.keyType === 'rsa-2048' ? digitalSignature | keyEncipherment : digitalSignature;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(usages, true),
    new x509.ExtendedKeyUsageExtension([leaf.usage === 'server' ? serverAuth : clientAuth]),
    // Critical when there is no other name (RFC 5280 §4.2.1.6).
    new x509.SubjectAlternativeNameExtension([...leaf.names], leaf.commonName === undefined),
    await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
  ];
}

/** Only the public key of a request counts, and only once the request proves its possession. */
async function checkRequest(
  csr: Uint8Array,
): Promise<{ publicKey: InstanceType<typeof x509.PublicKey>; keyType: KeyType }> {
  if (csr.length > CSR_BYTES_MAX) throw refusal(`is over ${CSR_BYTES_MAX} bytes long`);
  const request = parseRequest(csr);
  const keyType = acceptedKeyType(publicKeyOf(request));
  const proven = await request.verify().catch(() => false);
  if (!proven) throw refusal('is not signed with its own key');
  return { publicKey: request.publicKey, keyType };
}

function parseRequest(csr: Uint8Array): InstanceType<typeof x509.Pkcs10CertificateRequest> {
  try {
    return new x509.Pkcs10CertificateRequest(new Uint8Array(csr));
  } catch (cause) {
    throw refusal('is not PKCS #10 in DER', cause);
  }
}

function publicKeyOf(request: InstanceType<typeof x509.Pkcs10CertificateRequest>): KeyObject {
  try {
    const key = Buffer.from(request.publicKey.rawData);
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch (cause) {
    throw refusal('has a key that cannot be read', cause);
  }
}

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const RSA_BITS_MIN = 2048;
/** Above, each handshake with the node would cost us too much. */
const RSA_BITS_MAX = 4096;

function acceptedKeyType(key: KeyObject): KeyType {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && CURVES.has(namedCurve)) return 'ecdsa-p256';
  const strong = modulusLength >= RSA_BITS_MIN && modulusLength <= RSA_BITS_MAX;
  if (key.asymmetricKeyType === 'rsa' && strong) return 'rsa-2048';
  throw refusal('has a weak or unknown key: use ECDSA P-256, or RSA of 2048 to 4096 bits');
}

function refusal(problem: string, cause?: unknown): RequestError {
  return new RequestError('INVALID_ARGUMENT', `The certificate request ${problem}`, { cause });
}

async function importCaKey(
  caKeyPem: string,
  ca: InstanceType<typeof x509.X509Certificate>,
): Promise<webcrypto.CryptoKey> {
  const spki = createPublicKey(createPrivateKey(caKeyPem)).export({ type: 'spki', format: 'der' });
  if (!spki.equals(Buffer.from(ca.publicKey.rawData))) {
    throw new Error('load the CA: its key does not belong to its certificate');
  }
  const [pkcs8] = decodePem('PRIVATE KEY', caKeyPem);
  if (pkcs8 === undefined) throw new Error('load the CA: its key is not PKCS #8 in PEM');
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), P256, false, ['sign']);
}

function signedCertificate(
  certificate: InstanceType<typeof x509.X509Certificate>,
): SignedCertificate {
  const chainPem = encodePem('CERTIFICATE', new Uint8Array(certificate.rawData));
  return {
    chainPem,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
    fingerprint: certificateFingerprint(chainPem),
    serialNumber: certificate.serialNumber,
  };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return encodePem('PRIVATE KEY', new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', key)));
}

/** 126 random bits, positive, always 16 bytes (RFC 5280 §4.1.2.2). */
function serialNumber(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** Certificates know whole seconds only. */
function secondsDown(timeMs: number): Date {
  return new Date(Math.floor(timeMs / 1000) * 1000);
}
