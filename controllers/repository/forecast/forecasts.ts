import { RECONCILE_REQUESTED, type Repository } from '../../../api/repository.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { BlobShelf } from '../../../runtime/content/blob-shelf.ts';
import type { Declarer } from '../../../runtime/declarer.ts';
import {
  type Git,
  type GitCommit,
  GitError,
  type GitRef,
  type GitRemote,
  type GitTarget,
} from '../../../runtime/git/git.ts';
import { RequestError } from '../../../runtime/request-error.ts';
import { createSecrets, SecretLostError } from '../../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../../runtime/store/keys.ts';
import type { World } from '../../../runtime/store/world.ts';
import type { Sealer } from '../../../runtime/tls/authority.ts';
import { KnownFiles } from '../commit/content.ts';
import type { Wanted } from '../commit/jobs.ts';
import { type PreparePorts, prepareCommit } from '../commit/prepare.ts';
import { withCommit, withinTime } from '../commit/read-commit.ts';
import { type WantedOutcome, wantedOf } from '../commit/wanted.ts';
import type { CommitSet, Facts } from '../facts.ts';
import { besides, factsOf, recordOf } from '../gather.ts';
import { compareAhead } from '../plan/compare-ahead.ts';
import { Comparisons } from '../plan/comparisons.ts';
import { Keepers } from '../plan/keepers.ts';
import { type Forecast, forecastOf } from './forecast.ts';
import { PreparedCommits } from './prepared-commits.ts';

export interface ForecastPorts {
  readonly world: World;
  readonly sealer: Sealer;
  readonly declarer: Pick<Declarer, 'check'>;
  readonly git: Git;
  readonly blobs: BlobShelf;
  readonly clock: Clock;
}

export interface ForecastQuestion {
  readonly repository: { readonly namespace: string; readonly name: string };
  /** A branch, `refs/tags/NAME`, or a commit by its 40 hex digits; empty: what is followed. */
  readonly ref: string;
  /** As after `b8sctl reconcile --force`, and `--confirm-prune`. */
  readonly force: boolean;
  readonly confirmPrune: boolean;
}

export interface Forecasted extends Forecast {
  readonly repository: Repository;
  readonly set: CommitSet;
  readonly appliedCommit: string | undefined;
}

/** Of all Repositories together: each may fetch, and read as much as a commit may have. */
const AT_ONCE_MAX = 2;
/** Of one Repository; who may only read must not keep dom and the remote busy. */
const LOOKS_MAX = 20;
const LOOKS_WITHIN_MS = 60_000;
/** Others of the same remote that are asked whether they declare what is removed here. */
const OTHERS_MAX = 16;

/**
 * Says what the controller would do for a commit, without doing it: nothing is written to the store,
 * and nothing among the blobs.
 *
 * Guarantees: what it says is decided by the controller's own code from the facts of one moment. It
 * fetches into a place of its own, one commit at a time for each Repository, and never makes the
 * controller wait.
 * Errors: a `RequestError`: NOT_FOUND, INVALID_ARGUMENT for a ref, RESOURCE_EXHAUSTED when too many
 * ask, FAILED_PRECONDITION when the remote cannot be read.
 */
export class Forecasts {
  readonly #ports: ForecastPorts;
  readonly #running = new Set<string>();
  /** By uid, when it was looked at the remote. */
  readonly #looks = new Map<string, readonly number[]>();
  readonly #comparisons: Comparisons;
  readonly #prepared = new PreparedCommits();

  constructor(ports: ForecastPorts) {
    this.#ports = ports;
    this.#comparisons = new Comparisons(ports.sealer);
  }

  async make(question: ForecastQuestion, signal: AbortSignal): Promise<Forecasted> {
    const ref = askedRef(question.ref);
    const repository = this.#ports.world.get('Repository', question.repository);
    const { namespace, name } = question.repository;
    if (repository === undefined)
      throw new RequestError('NOT_FOUND', `repositories "${namespace}/${name}" not found`);
    const end = this.#begin(repository);
    try {
      return await this.#make(repository, { ...question, asked: ref }, signal);
    } catch (error) {
      if (error instanceof GitError || error instanceof SecretLostError)
        throw new RequestError('FAILED_PRECONDITION', error.message, { cause: error });
      throw error;
    } finally {
      end();
    }
  }

  /** Returns what ends it. */
  #begin({ metadata: { uid, name } }: Repository): () => void {
    const { clock } = this.#ports;
    const sinceMs = clock.monotonicMs() - LOOKS_WITHIN_MS;
    for (const [known, looks] of this.#looks) {
      const recent = looks.filter((atMs) => atMs > sinceMs);
      if (recent.length === 0) this.#looks.delete(known);
      else this.#looks.set(known, recent);
    }
    const looks = this.#looks.get(uid) ?? [];
    if (this.#running.has(uid)) throw tooMany(`${name} is looked at for somebody else`);
    if (this.#running.size >= AT_ONCE_MAX) throw tooMany('others are looked at');
    if (looks.length >= LOOKS_MAX)
      throw tooMany(`${name} was asked about ${LOOKS_MAX} times within a minute`);
    this.#looks.set(uid, [...looks, clock.monotonicMs()]);
    this.#running.add(uid);
    return () => this.#running.delete(uid);
  }

  async #make(
    repository: Repository,
    question: ForecastQuestion & { readonly asked: GitRef | undefined },
    signal: AbortSignal,
  ): Promise<Forecasted> {
    const { git, clock, declarer } = this.#ports;
    const outcome = this.#wanted(repository);
    if (outcome.kind === 'refused') throw new RequestError('FAILED_PRECONDITION', outcome.message);
    const { wanted } = outcome;
    // Of one id one call is under way at a time, and this one must hold nobody up.
    const remote = { ...wanted.remote, id: forecastId(repository.metadata.uid) };
    const { set, others } = await withinTime(clock, wanted.timeoutMs, signal, async (over) => {
      const found = await git.resolve(remote, question.asked ?? wanted.ref, over);
      const commit = question.asked === undefined ? wanted.targetOf(found.commit) : found.commit;
      const target = commit === found.commit ? found : { commit, name: undefined };
      return await this.#read({ remote, target }, { repository, wanted }, over);
    });
    const { world } = this.#ports;
    await compareAhead({ world, clock, comparisons: this.#comparisons }, repository, set);
    const facts = this.#factsFor(repository, { set, others }, question);
    const made = await forecastOf(declarer, facts, { set, nowMs: clock.nowMs() });
    const appliedCommit = facts.record.applied?.commit;
    return { ...made, repository, set, appliedCommit };
  }

  /** What is known already is not read again; if all is, nothing is fetched. */
  async #read(
    place: { readonly remote: GitRemote; readonly target: GitTarget },
    { repository, wanted }: { readonly repository: Repository; readonly wanted: Wanted },
    signal: AbortSignal,
  ): Promise<WholeCommit> {
    const { git } = this.#ports;
    const { commit, name, tag } = place.target;
    // Who has signed it may depend on the tag by which it was found.
    const found = tag === undefined ? [commit] : [commit, tag, name];
    const keyOf = ({ key }: Wanted): string => JSON.stringify([found, key]);
    const others = this.#othersOf(repository);
    const wants = [wanted, ...others.map((each) => each.wanted)];
    const known = new Map(wants.map((each) => [each.key, this.#prepared.get(keyOf(each))]));
    const isAll = ![...known.values()].includes(undefined);
    const { blobs, clock } = this.#ports;
    const ports: PreparePorts = { blobs: hollow(blobs), known: new KnownFiles(), clock };
    const read = (from: GitCommit | undefined): Promise<WholeCommit> =>
      whole({ wanted, others }, async (each) => {
        const set = known.get(each.key);
        if (set !== undefined || from === undefined) return set ?? neverRead(commit);
        const made = await prepareCommit(from, each.prepare, ports);
        this.#prepared.keep(keyOf(each), made, each.prepare);
        return made;
      });
    return isAll ? await read(undefined) : await withCommit(git, place, signal, read);
  }

  /** Those that see the same commit. */
  #othersOf(repository: Repository): readonly Other[] {
    return besides(this.#ports.world, repository)
      .slice(0, OTHERS_MAX)
      .flatMap((other) => {
        const outcome = this.#wantedOfOther(other);
        if (outcome.kind === 'refused') return [];
        return [{ name: qualifiedName(other.metadata), wanted: outcome.wanted }];
      });
  }

  /** What another lacks is its own concern, and not told to whoever asks about this one. */
  #wantedOfOther(repository: Repository): WantedOutcome {
    try {
      return this.#wanted(repository);
    } catch (error) {
      if (!(error instanceof SecretLostError)) throw error;
      return { kind: 'refused', reason: 'SecretLost', message: error.message };
    }
  }

  #wanted(repository: Repository): WantedOutcome {
    const { world, sealer } = this.#ports;
    const record = recordOf(world, repository).value;
    return wantedOf(repository, { secrets: createSecrets({ world, sealer }), world, record });
  }

  /** As if `b8sctl reconcile` had asked for it, and the remote had been looked at. */
  #factsFor(given: Repository, { set, others }: WholeCommit, question: ForecastQuestion): Facts {
    const { ref, force, confirmPrune } = question;
    const isAsked = ref !== '' || force || confirmPrune;
    const words = [
      ...['forecast', ...(force ? ['force'] : []), ...(confirmPrune ? ['confirm-prune'] : [])],
      ...(ref === '' ? [] : [`ref=${set.commit}`]),
    ];
    const request = isAsked ? words.join(' ') : undefined;
    const repository = request === undefined ? given : requested(given, request);
    const { commit: head } = set;
    const remote = { head, set, failure: undefined, phase: 'idle', request } as const;
    const { world } = this.#ports;
    return factsOf(world, {
      ...{ repository, keepers: Keepers.of(world), comparisons: this.#comparisons },
      ...{ remote: { ...remote, nextInMs: Infinity }, verdict: undefined, trouble: undefined },
      setOf: (name, commit) => (commit === set.commit ? others.get(name) : undefined),
    });
  }
}

function neverRead(commit: string): never {
  throw new Error(`commit ${commit} was not read`);
}

async function whole(
  { wanted, others }: { readonly wanted: Wanted; readonly others: readonly Other[] },
  prepared: (each: Wanted) => Promise<CommitSet>,
): Promise<WholeCommit> {
  const set = await prepared(wanted);
  const sets = new Map<string, CommitSet>();
  // Nothing is done of it, so nobody takes anything over.
  if (set.problems.length > 0) return { set, others: sets };
  for (const other of others) sets.set(other.name, await prepared(other.wanted));
  return { set, others: sets };
}

/** What is kept of the remote for forecasts, beside what the controller keeps. */
export function forecastId(uid: string): string {
  return `${uid}-forecast`;
}

interface Other {
  /** `namespace/name`. */
  readonly name: string;
  readonly wanted: Wanted;
}

interface WholeCommit {
  readonly set: CommitSet;
  /** What it declares for others that follow the same remote, by `namespace/name`. */
  readonly others: ReadonlyMap<string, CommitSet>;
}

function requested({ metadata, ...rest }: Repository, request: string): Repository {
  const annotations = { ...metadata.annotations, [RECONCILE_REQUESTED]: request };
  return { ...rest, metadata: { ...metadata, annotations } };
}

/** What a commit holds is only named, not stored. */
function hollow(blobs: BlobShelf): BlobShelf {
  return {
    sizeOf: (digest) => blobs.sizeOf(digest),
    read: (digest) => blobs.read(digest),
    put: async () => undefined,
  };
}

/** git-check-ref-format(1), as far as it matters: no globs, no control characters. */
const REF = /^(?!-)[^\s\u0000-\u001f\u007f~^:?*[\\]{1,255}$/;

function askedRef(text: string): GitRef | undefined {
  if (text === '') return undefined;
  if (/^[0-9a-f]{40}$/.test(text)) return { kind: 'commit', commit: text };
  if (!REF.test(text))
    throw new RequestError(
      'INVALID_ARGUMENT',
      `"${text}" is neither a branch nor a commit: write a name, or 40 hex digits`,
    );
  const tag = /^refs\/tags\/(.+)$/.exec(text)?.[1];
  if (tag !== undefined) return { kind: 'tag', name: tag };
  return { kind: 'branch', name: text.replace(/^refs\/heads\//, '') };
}

function tooMany(why: string): RequestError {
  return new RequestError('RESOURCE_EXHAUSTED', `${why}: try again in a moment`);
}
