import { ipv4Problem, ipv6Problem } from '../../api/address.ts';
import { labelNameProblem } from '../../api/names.ts';
import type { NodeRole } from '../../api/node.ts';

/** What `sub join` was given, as text. */
export interface JoinArguments {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
  readonly name: string;
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly location?: string;
  readonly role?: string;
  readonly httpPort?: string;
  readonly httpsPort?: string;
  readonly dnsPort?: string;
}

export interface JoinOptions {
  /** "host:port". */
  readonly address: string;
  readonly token: string;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly caHash: string;
  readonly name: string;
  /** The Node's spec as far as this machine says it; the rest is dom's to fill in. */
  readonly spec: JoinSpec;
}

export interface JoinSpec {
  readonly roles?: readonly NodeRole[];
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly location?: { readonly latitude: number; readonly longitude: number };
  readonly ports?: { readonly http?: number; readonly https?: number; readonly dns?: number };
}

/** Thrown for a command line that cannot be meant; the message names the option and the mend. */
export class JoinUsageError extends Error {
  override readonly name = 'JoinUsageError';
}

/** Untrusted text to a join that can be tried. */
export function parseJoin(given: JoinArguments): JoinOptions {
  const spec: JoinSpec = {
    ...(given.role !== undefined && { roles: parseRoles(given.role) }),
    ...addresses('ipv4', given.ipv4, ipv4Problem),
    ...addresses('ipv6', given.ipv6, ipv6Problem),
    ...(given.location !== undefined && { location: parseLocation(given.location) }),
    ...parsePorts(given),
  };
  const problem = labelNameProblem(given.name);
  if (problem !== undefined) throw new JoinUsageError(`--name "${given.name}": ${problem}`);
  if (!/^[^.\s]+\.[^.\s]+$/.test(given.token)) {
    throw new JoinUsageError(
      '--token: must be <id>.<secret>, as b8sctl node token create prints it',
    );
  }
  return {
    address: parseUrl(given.url),
    token: given.token,
    caHash: parseHash(given.ca),
    name: given.name,
    spec,
  };
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  const wrong = url === null || url.protocol !== 'https:' || url.pathname !== '/';
  if (wrong || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new JoinUsageError(`"${text}": must be dom's address, e.g. https://dom.example.com:7443`);
  }
  return `${url.hostname}:${url.port === '' ? '443' : url.port}`;
}

function parseHash(text: string): string {
  const hash = text.toLowerCase();
  if (/^sha256:[0-9a-f]{64}$/.test(hash)) return hash;
  throw new JoinUsageError(`--ca "${text}": must be sha256: and 64 hex digits`);
}

const ROLES: readonly NodeRole[] = ['edge', 'nameserver', 'worker'];

function parseRoles(text: string): readonly NodeRole[] {
  const roles = text.split(',').map((role) => role.trim());
  const unknown = roles.find((role) => !ROLES.some((known) => known === role));
  if (unknown !== undefined) {
    throw new JoinUsageError(`--role "${unknown}": must be some of ${ROLES.join(', ')}`);
  }
  return ROLES.filter((role) => roles.includes(role));
}

function addresses<Family extends 'ipv4' | 'ipv6'>(
  family: Family,
  given: readonly string[] | undefined,
  problemOf: (text: string) => string | undefined,
): { readonly [Key in Family]?: readonly string[] } {
  if (given === undefined || given.length === 0) return {};
  for (const address of given) {
    const problem = problemOf(address);
    if (problem !== undefined) throw new JoinUsageError(`--${family} "${address}": ${problem}`);
  }
  return { [family]: given } as { [Key in Family]: readonly string[] };
}

function parseLocation(text: string): { readonly latitude: number; readonly longitude: number } {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [latitude = Number.NaN, longitude = Number.NaN] = parts;
  const onGlobe = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  if (parts.length === 2 && onGlobe) return { latitude, longitude };
  throw new JoinUsageError(
    `--location "${text}": must be LATITUDE,LONGITUDE in degrees, e.g. 51.5,-0.13`,
  );
}

function parsePorts({ httpPort, httpsPort, dnsPort }: JoinArguments): Pick<JoinSpec, 'ports'> {
  const ports = {
    ...(httpPort !== undefined && { http: parsePort('--http-port', httpPort) }),
    ...(httpsPort !== undefined && { https: parsePort('--https-port', httpsPort) }),
    ...(dnsPort !== undefined && { dns: parsePort('--dns-port', dnsPort) }),
  };
  return Object.keys(ports).length === 0 ? {} : { ports };
}

function parsePort(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new JoinUsageError(`${option} "${text}": must be a number from 1 to 65535`);
}
