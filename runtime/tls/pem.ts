import { createHash } from 'node:crypto';

const LINE_CHARACTERS = 64;

/** One block of textual encoding (RFC 7468), with a final newline. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** The bytes of every block of that label, in order. */
export function decodePem(label: string, pem: string): readonly Uint8Array[] {
  const block = new RegExp(
    `-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`,
    'g',
  );
  return [...pem.matchAll(block)].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
}

/** SHA-256 of the first certificate's DER, lower-case hex. Throws when there is none. */
export function certificateFingerprint(pem: string): string {
  const [der] = decodePem('CERTIFICATE', pem);
  if (der === undefined) throw new Error('read a certificate: the text holds no PEM block');
  return createHash('sha256').update(der).digest('hex');
}

/** How joining nodes pin a CA: "sha256:<64 hex digits>" of its DER. */
export function caHashOf(caPem: string): string {
  return `sha256:${certificateFingerprint(caPem)}`;
}
