import { isDeepStrictEqual } from 'node:util';
import type { Site, SiteStatus } from '../../../api/site.ts';
import { blobPath, type Digest, digestHex, digestOf } from '../../../runtime/content/digest.ts';
import { releaseOn, releasesServed } from '../../../runtime/content/site-releases.ts';
import type { HttpAnswer } from '../../../runtime/http.ts';
import { kindPrefix } from '../../../runtime/store/keys.ts';
import type { Published } from '../../load/content.ts';
import { fileOf } from '../../load/pages.ts';
import { NAMESPACE } from '../../load/wish.ts';
import type { Check, CheckPorts, Commit, HttpExchange } from '../check.ts';
import { isGoing, Past, siteOf } from '../past.ts';

const SITES_PREFIX = `${kindPrefix('Site')}${NAMESPACE}/`;

export interface ServingPorts extends CheckPorts {
  /** What lies on each node's disk, by path; a check may know what no node says. */
  readonly disks: () => ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  /** The disk of that node fails by now, or holds what has rotted. */
  readonly mayMisread: (node: string) => boolean;
}

/** INV-24, INV-27 and INV-28: what nodes answer, and what dom lets them answer. */
export function servingCheck(ports: ServingPorts): Check {
  const serving = new Serving(ports);
  return {
    committed: (commit) => serving.committed(commit),
    moved: (position) => serving.past.moved(position),
    published: (site, release) => serving.published(site, release),
    requested: (exchange) => serving.requested(exchange),
    installed: (node) => serving.installed(node),
  };
}

class Serving {
  readonly past = new Past();
  readonly #ports: ServingPorts;
  /** By site and mark. */
  readonly #published = new Map<string, Published>();
  /** By site: what dom has told nodes of it, in order; one release may come again. */
  readonly #statuses = new Map<string, SiteStatus[]>();
  /** By node and site: marks of the releases that dom has switched it to, of so many statuses. */
  readonly #switches = new Map<string, { readonly marks: string[]; read: number }>();
  /** By node and site: the index in `#switches` of what it was last seen to serve. */
  readonly #served = new Map<string, number>();
  /** Node and site: it has served the site since that was last created. */
  readonly #armed = new Set<string>();

  constructor(ports: ServingPorts) {
    this.#ports = ports;
  }

  published(site: string, release: Published): void {
    this.#published.set(`${site} ${releaseMark(release.digest)}`, release);
  }

  installed(node: string): void {
    this.past.installed(node);
    for (const key of [...this.#served.keys()])
      if (key.startsWith(`${node} `)) {
        this.#served.delete(key);
        this.#armed.delete(key);
      }
  }

  committed(commit: Commit): void {
    this.past.committed(commit);
    for (const write of commit.transaction.writes) {
      if (!write.key.startsWith(SITES_PREFIX)) continue;
      const site = write.key.slice(SITES_PREFIX.length);
      if (write.kind === 'put') this.#siteWritten(site, write.value);
      // From now on it may be gone anywhere.
      if (isGoing(write))
        for (const key of [...this.#armed]) if (key.endsWith(` ${site}`)) this.#armed.delete(key);
    }
  }

  requested({ node, host, path, answer, namedBy }: HttpExchange): void {
    const site = siteOf(host);
    // No answer is better than a wrong one.
    if (answer.status === 503 && this.#ports.mayMisread(node)) return;
    if (namedBy !== undefined && answer.status !== 200) this.#misnamed(namedBy, node, site, answer);
    const key = `${node} ${site}`;
    if (answer.status !== 200) {
      if (this.#armed.has(key))
        this.#ports.violated(24, `${node} answers ${answer.status} for ${site}, which it served`);
      return;
    }
    if (this.past.knowsSite(node, site)) this.#armed.add(key);
    this.#release(node, site, path, answer);
  }

  /** INV-27: bytes of a release that dom has switched to, and never an older one than before. */
  #release(node: string, site: string, path: string, answer: HttpAnswer): void {
    const { violated } = this.#ports;
    const mark = header(answer, 'b8s-release') ?? 'no release';
    const expected = this.#published.get(`${site} ${mark}`)?.files.get(fileOf(path));
    const actual = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    if (expected === undefined || !(actual instanceof Uint8Array) || !expected.equals(actual))
      return violated(27, `${node} serves bytes of ${site}${path} that are not those of ${mark}`);
    const key = `${node} ${site}`;
    const before = this.#served.get(key);
    const switches = this.#switchesOf(node, site);
    if (before !== undefined && switches[before] === mark) return;
    // The earliest switch that explains it: whatever is explicable at all is so by this one.
    const index = switches.indexOf(mark, before === undefined ? 0 : before + 1);
    if (index < 0) {
      const was = before === undefined ? 'nothing' : switches[before];
      const what = `${node} serves ${mark} of ${site} after ${was}`;
      return violated(27, `${what}, which dom did not ask for`);
    }
    this.#served.set(key, index);
  }

  /** INV-28: whoever is named serves the site, unless the nameserver is behind. */
  #misnamed(nameserver: string, node: string, site: string, answer: HttpAnswer): void {
    const { past } = this;
    const knowsBoth = past.namesSite(nameserver, site) && past.knowsNode(nameserver, node);
    if (!knowsBoth || !past.meansNode(nameserver, node) || !past.knowsSite(node, site)) return;
    if (past.standsIn(nameserver, site)) return;
    this.#ports.violated(
      28,
      `${nameserver} names ${node} for ${site}, which answers ${answer.status}`,
    );
  }

  /** In a rollout a node is told what its batch has; from one to the next it is told it once. */
  #switchesOf(node: string, site: string): readonly string[] {
    const key = `${node} ${site}`;
    const known = this.#switches.get(key) ?? { marks: [], read: 0 };
    this.#switches.set(key, known);
    const statuses = this.#statuses.get(site) ?? [];
    for (const status of statuses.slice(known.read)) {
      const release = releaseOn(status, node)?.release as Digest | undefined;
      const mark = release === undefined ? undefined : releaseMark(release);
      if (mark !== undefined && known.marks.at(-1) !== mark) known.marks.push(mark);
    }
    known.read = statuses.length;
    return known.marks;
  }

  #siteWritten(site: string, value: string): void {
    const { status } = JSON.parse(value) as Site;
    const statuses = this.#statuses.get(site) ?? [];
    const before = statuses.at(-1);
    const isSame =
      before?.release === status?.release && isDeepStrictEqual(before?.ahead, status?.ahead);
    if (status === undefined || isSame) return;
    this.#statuses.set(site, [...statuses, status]);
    const known = releasesServed(before);
    for (const digest of releasesServed(status))
      if (!known.includes(digest)) this.#switchedTo(site, digest as Digest);
  }

  #switchedTo(site: string, digest: Digest): void {
    const release = this.#published.get(`${site} ${releaseMark(digest)}`);
    const { disks, mayMisread } = this.#ports;
    const isHeld = [...disks()].some(
      ([node, disk]) => holdsVerified(disk, release) || mayMisread(node),
    );
    if (!isHeld) this.#ports.violated(28, `dom switches ${site} to ${digest}, which no node holds`);
  }
}

/** By the node's disk itself: what it says of itself may be wrong. */
function holdsVerified(
  disk: ReadonlyMap<string, Uint8Array>,
  release: Published | undefined,
): boolean {
  if (release === undefined) return false;
  const { digest, files } = release;
  const blobs = [digest, ...[...files.values()].map(digestOf)];
  return (
    disk.has(`verified/${digestHex(digest)}`) && blobs.every((blob) => disk.has(blobPath(blob)))
  );
}

/** As the header `b8s-release` shows it. */
function releaseMark(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

function header(answer: HttpAnswer, name: string): string | undefined {
  return answer.headers.find(([each]) => each === name)?.[1];
}
