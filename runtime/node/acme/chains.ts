import { decodePem, encodePem } from '../../tls/pem.ts';
import { linkTargets } from './headers.ts';
import { printable } from './read-json.ts';
import type { Answer } from './transport.ts';

export const CHAIN_BYTES_MAX = 1024 * 1024;
/** RFC 8555 §9.1. */
export const CHAIN_TYPE = 'application/pem-certificate-chain';
const CERTIFICATES_MAX = 16;
const ALTERNATES_MAX = 8;

/** The certificates of an answer, PEM, with nothing between them. */
export function readChain({ body, headers }: Answer): string {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== CHAIN_TYPE)
    throw new Error(`the CA sends ${printable(type, 80) || 'nothing'} for a chain`);
  const certificates = decodePem('CERTIFICATE', body.toString('latin1'));
  if (certificates.length === 0) throw new Error('the chain holds no certificate');
  if (certificates.length > CERTIFICATES_MAX)
    throw new Error(`the chain holds more than ${CERTIFICATES_MAX} certificates`);
  return certificates.map((der) => encodePem('CERTIFICATE', der)).join('');
}

/** URLs of the other chains (RFC 8555 §7.4.2). */
export function alternatesOf({ headers }: Answer, url: string): readonly string[] {
  const targets = linkTargets(headers['link'], 'alternate');
  const urls = targets.filter((target) => URL.canParse(target, url));
  return [...new Set(urls.map((target) => new URL(target, url).href))]
    .filter((target) => target !== url)
    .slice(0, ALTERNATES_MAX);
}
