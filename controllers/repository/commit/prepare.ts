import { posix } from 'node:path';
import { formatViolation } from '../../../api/manifest.ts';
import { aboutField } from '../../../api/rules.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type Declaration, invalidText, rankOf } from '../../../runtime/declarations.ts';
import type { GitCommit } from '../../../runtime/git/git.ts';
import { type CommitSet, type Desired, keyOf, shownKey } from '../facts.ts';
import { wantedHosts } from '../plan/order.ts';
import { restsBetween } from '../rests.ts';
import { type ContentPorts, ContentProblem, folderRelease } from './content.ts';
import { ageKeys, type Decryption } from './decryption.ts';
import { contentFolder, readManifests } from './read-manifests.ts';
import { type Verify, verifyCommit } from './verify.ts';

/** A status holds this many; the next commit may tell more. */
const PROBLEMS_MAX = 20;

export interface PrepareOptions {
  /** The folder with the manifests; `.`: the root. */
  readonly path: string;
  /** For objects that name none. */
  readonly namespace: string;
  /** Absent: it need not be signed. */
  readonly verify?: Verify;
  /** Of what SOPS has encrypted; absent: that is refused. */
  readonly decryption?: Decryption;
}

export interface PreparePorts extends ContentPorts {
  readonly clock: Clock;
}

/**
 * All that a commit declares: its manifests read as `b8sctl apply` reads them, the folders of Sites
 * put among the blobs as releases. One problem is enough for nothing to be declared.
 */
export async function prepareCommit(
  from: GitCommit,
  options: PrepareOptions,
  ports: PreparePorts,
): Promise<CommitSet> {
  const { commit, subject, author } = from;
  const folder = posix.normalize(options.path).replace(/^\.\/?$|\/$/g, '');
  const refused = (problems: readonly string[]): CommitSet => {
    return { commit, subject, author, problems: problems.slice(0, PROBLEMS_MAX), desired: [] };
  };
  // Before any of its files is read.
  const verified = await verifyCommit(from, options.verify);
  if (verified.kind === 'refused') return { ...refused([verified.message]), reason: 'NotVerified' };
  const entries = await from.list(folder);
  if (entries === undefined)
    return refused([`spec.path "${options.path}" is no folder of this commit`]);
  const { namespace } = options;
  const keys = await ageKeys(options.decryption);
  const read = await readManifests(from, { entries, keys, namespace }, ports.clock);
  const rest = restsBetween(ports.clock);
  const startMs = ports.clock.monotonicMs();
  const all = [...read.problems, ...refusals(read.declarations)];
  if (all.length > 0) return refused(all);
  await rest(startMs);
  try {
    const desired: Desired[] = [];
    for (const declaration of read.declarations) {
      const sinceMs = ports.clock.monotonicMs();
      desired.push(await withRelease(declaration, from, ports));
      await rest(sinceMs);
    }
    return {
      commit,
      subject,
      author,
      problems: [],
      desired: desired.toSorted(inRank),
      ...verified.told,
    };
  } catch (error) {
    if (error instanceof ContentProblem) return refused([error.message]);
    throw error;
  }
}

/** The store keeps what was declared beside the object, each value of at most 1 MiB. */
const OBJECT_BYTES_MAX = 900_000;
/** Sealed, a value is longer by a third. */
const SECRET_BYTES_MAX = 600_000;

/** What no set of objects may have, whoever applies it. */
function refusals(declarations: readonly Declaration[]): readonly string[] {
  const seen = new Map<string, string>();
  const hosts = new Map<string, string>();
  return declarations.flatMap(({ object, document }) => {
    const place = `${document.source}:${document.locate('')}`;
    const key = keyOf(object);
    const first = seen.get(key);
    if (first !== undefined) return [`${shownKey(key)} is declared twice (${first}, ${place})`];
    seen.set(key, place);
    if (object.kind === 'Event' || object.kind === 'Release')
      return [`${shownKey(key)} is for b8s to make; leave it out (${place})`];
    const sizeBytes = Buffer.byteLength(JSON.stringify(object));
    if (sizeBytes > (object.kind === 'Secret' ? SECRET_BYTES_MAX : OBJECT_BYTES_MAX))
      return [`${shownKey(key)} is ${sizeBytes} bytes long; split it into several (${place})`];
    return wantedHosts({ object }).flatMap((host) => {
      const other = hosts.get(host);
      hosts.set(host, place);
      return other === undefined ? [] : [`the host ${host} is of two Sites (${other}, ${place})`];
    });
  });
}

interface SiteContent {
  readonly content?: { readonly path?: string; readonly archive?: string };
}

async function withRelease(
  declaration: Declaration,
  from: GitCommit,
  ports: ContentPorts,
): Promise<Desired> {
  const { object, document } = declaration;
  const desired: Desired = {
    ...{ key: keyOf(object), object, file: document.source },
    locate: (path) => document.locate(path),
  };
  const problem = (field: string, message: string): ContentProblem => {
    const violation = aboutField(['spec', 'content', field], message);
    return new ContentProblem(invalidText(document, [formatViolation(violation, document)]));
  };
  const folder = contentFolder(declaration);
  const spec = object.spec as SiteContent | undefined;
  if (object.kind === 'Site' && spec?.content?.archive !== undefined)
    throw problem('archive', 'is not read from a repository; use path, with the files themselves');
  if (folder === undefined) return desired;
  const { path = '' } = spec?.content ?? {};
  if (posix.isAbsolute(path) || folder === '..' || folder.startsWith('../'))
    throw problem('path', `"${path}": leads out of the repository; name a folder in it`);
  const release = await folderRelease(from, folder === '.' ? '' : folder, ports).catch(
    (error: unknown) => {
      throw error instanceof ContentProblem ? problem('path', error.message) : error;
    },
  );
  const content = { release: release.digest };
  return { ...desired, release, object: { ...object, spec: { ...spec, content } } };
}

function inRank(one: Desired, other: Desired): number {
  return rankOf(one.object.kind) - rankOf(other.object.kind) || (one.key < other.key ? -1 : 1);
}
