import { digestHex, isDigest } from '../../runtime/content/digest.ts';
import type { Scene } from './look.ts';

/** Makes of what a world says what any world says that is in the same state. */
export interface Normal {
  text(text: string): string;
  /** Plain data, with what means nothing left out. */
  data(data: unknown): unknown;
}

export function normalizer({ cast, stage }: Scene): Normal {
  const nodes = new Map(
    cast
      .nodes(['absent', 'up', 'paused', 'down', 'removed'])
      .map((node) => [stage.addressOf(node), node]),
  );
  const text = (given: string): string => {
    const name = nodes.get(given);
    if (name !== undefined) return `address of ${name}`;
    if (given === stage.gitUrl()) return 'the Git remote';
    const commit = [...cast.commits()].find(([, each]) => each === given);
    if (commit !== undefined) return `commit ${commit[0]}`;
    return given.replaceAll(DIGEST, (digest) => {
      const mark = isDigest(digest) ? digestHex(digest).slice(0, MARK_LENGTH) : undefined;
      const release = cast.releaseOf(mark);
      return release === undefined ? 'a digest' : `${release.site} version ${release.version}`;
    });
  };
  const data = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given);
    if (typeof given === 'bigint') return Number(given);
    if (Array.isArray(given)) return given.map(data);
    if (typeof given !== 'object' || given === null) return given;
    const fields = Object.entries(given).filter(
      ([name, value]) => !isEmpty(value) && !MEANINGLESS.has(name),
    );
    const inOrder = fields.toSorted(([one], [other]) => byName(one, other));
    return Object.fromEntries(inOrder.map(([name, value]) => [name, data(value)]));
  };
  return { text, data };
}

/** Fields come in no order of their own; what a thing is called stands first, for people. */
function byName(one: string, other: string): number {
  if (one === 'name' || other === 'name') return one === 'name' ? -1 : 1;
  return one < other ? -1 : 1;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

const DIGEST = /sha256-[0-9a-f]{64}/g;
const MARK_LENGTH = 12;

/** Fields of specs, statuses and plans that are other in each world, or at each time. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  ...['uid', 'generation', 'serial'],
  // In scenarios it is always the default one.
  'namespace',
  // Ports, and versions of the programs.
  ...['ports', 'httpPort', 'httpsPort', 'dnsPort', 'agentVersion'],
  // Keys, and what follows from them.
  ...['chainPem', 'keyPem', 'fingerprint', 'serialNumber', 'notAfterMs', 'cookieSecrets'],
  // Times.
  ...['notBefore', 'notAfter', 'renewalTime', 'nextTry', 'lastSeen', 'connectedSince'],
  ...['time', 'startedAt', 'finishedAt', 'batchAt', 'switchedAt', 'switchedAtMs'],
]);
