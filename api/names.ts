import { domainToASCII } from 'node:url';
import { isIpv4, isIpv6 } from './address.ts';

/** The longest label of a DNS name, in bytes (RFC 1035 §2.3.4). */
export const LABEL_BYTES_MAX = 63;

/** The longest DNS name as text, in bytes: 255 on the wire, less the lengths at both ends. */
export const NAME_BYTES_MAX = 253;

/*
 * A `*Problem` function says what is wrong with a text and how to mend it, as the end of a sentence
 * that begins with the text; undefined: nothing is wrong.
 */

/** For a host that clients ask for: at least two labels, lower case, no final dot, no wildcard. */
export function hostProblem(name: string): string | undefined {
  if (name.startsWith('*.')) return 'a site cannot have a wildcard host; list the names one by one';
  return publicNameProblem(name);
}

/** For a name of a certificate: a host, or `*.` and a host (RFC 6125 §6.4.3). */
export function certificateNameProblem(name: string): string | undefined {
  if (!name.includes('*')) return publicNameProblem(name);
  if (!name.startsWith('*.') || name.includes('*', 1)) {
    return 'only the whole first label can be a wildcard, e.g. *.example.com';
  }
  return publicNameProblem(name.slice(2));
}

/** The cluster's own names: a certificate for one of them would speak for dom. */
const OWN_DOMAIN = 'b8s.internal';

/** For a domain that may have one label only: the origin of a zone. */
export function domainProblem(name: string): string | undefined {
  return writingProblem(name) ?? labelsProblem(name, HOST_LABEL);
}

/** For the owner of a DNS record, whole and without a final dot: underscores and `*` may be. */
export function recordNameProblem(name: string): string | undefined {
  const labels = name.startsWith('*.') ? name.slice(2) : name;
  return labelsProblem(labels, RECORD_LABEL) ?? lengthProblem(name);
}

/** For the name of an object: an RFC 1123 subdomain. */
export function objectNameProblem(name: string): string | undefined {
  if (name.length > NAME_BYTES_MAX) {
    return `is ${name.length} characters long; at most ${NAME_BYTES_MAX} are possible`;
  }
  if (OBJECT_NAME.test(name)) return undefined;
  const mended = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  const example = OBJECT_NAME.test(mended) ? mended : 'my-site';
  return `must be lower-case letters, digits, "-" and ".", with a letter or digit at both ends, e.g. ${example}`;
}

/** For a name that becomes one DNS label, as those of namespaces and nodes do. */
export function labelNameProblem(name: string): string | undefined {
  if (name.includes('.')) return `must have no dot, e.g. ${name.replaceAll('.', '-')}`;
  if (name.length > LABEL_BYTES_MAX) {
    return `is ${name.length} characters long; at most ${LABEL_BYTES_MAX} are possible`;
  }
  return objectNameProblem(name);
}

const OBJECT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
// RFC 2317 divides reverse zones at labels like 0/25.
const RECORD_LABEL = /^[a-z0-9_/](?:[a-z0-9_/-]*[a-z0-9_/])?$/;

function publicNameProblem(name: string): string | undefined {
  const problem = writingProblem(name);
  if (problem !== undefined) return problem;
  if (isIpv4(name) || isIpv6(name))
    return 'is an address; write a host name, e.g. blog.example.com';
  if (!name.includes('.'))
    return `needs a dot, e.g. ${HOST_LABEL.test(name) ? name : 'blog'}.example.com`;
  if (isWithinDomain(name, OWN_DOMAIN)) return `is under ${OWN_DOMAIN}, which is dom's own`;
  return labelsProblem(name, HOST_LABEL);
}

function isWithinDomain(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** What people paste: URLs, ports, final dots, capitals, letters beyond ASCII. */
function writingProblem(name: string): string | undefined {
  if (name === '') return 'is empty; write a name, e.g. example.com';
  if (name.includes('://')) return 'is a URL; write only its host, e.g. blog.example.com';
  if (name.includes('/')) return 'has a path; write only the host, e.g. blog.example.com';
  if (/^[^:]+:\d+$/.test(name)) return `leave the port out: ${name.replace(/:\d+$/, '')}`;
  if (name.length > 1 && name.endsWith('.')) return `leave the final dot out: ${name.slice(0, -1)}`;
  if (/[^ -~]/.test(name)) {
    const ascii = domainToASCII(name);
    return ascii === '' ? 'has letters that no DNS name has' : `write it in ASCII: ${ascii}`;
  }
  if (/[A-Z]/.test(name)) return `must be lower case: ${name.toLowerCase()}`;
  return lengthProblem(name);
}

function lengthProblem(name: string): string | undefined {
  if (name.length <= NAME_BYTES_MAX) return undefined;
  return `is ${name.length} bytes long; a DNS name has at most ${NAME_BYTES_MAX}`;
}

function labelsProblem(name: string, pattern: RegExp): string | undefined {
  for (const label of name.split('.')) {
    if (label === '') return 'has an empty label: a dot too many';
    if (label.length > LABEL_BYTES_MAX) {
      return `label "${label.slice(0, 12)}…" is ${label.length} bytes long; at most ${LABEL_BYTES_MAX} are possible`;
    }
    if (!pattern.test(label)) {
      const isRecord = pattern === RECORD_LABEL;
      const rule = `must be lower-case letters, digits${isRecord ? ', "_", "/"' : ''} and "-", and "-" at neither end`;
      // Record names may hold any byte (RFC 2181 §11), if it is clear that it is meant.
      return `label "${label}" ${rule}${isRecord ? '; write any other byte by number, e.g. \\032' : ''}`;
    }
  }
  return undefined;
}
