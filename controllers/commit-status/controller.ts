import type { Repository } from '../../api/repository.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { type ErrandLimits, Errands } from '../../runtime/control/errands.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { shortCommit } from '../../runtime/git/git.ts';
import type { Poster } from '../../runtime/poster.ts';
import type { Random } from '../../runtime/random.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import type { CommitStatusRecord, ToldCommit } from '../../runtime/telling-records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { type Access, accessOf, errorText } from './access.ts';
import { type CommitNews, callOf, hostOf, isTaken } from './host.ts';
import { type CommitStatusStep, newsOf, planCommitStatus, TOLD_COMMITS_MAX } from './plan.ts';

export interface CommitStatusPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
  readonly events: EventRecorder;
  readonly poster: Poster;
}

const AUTHOR: Author = { manager: 'commit-status-controller', user: 'dom' };
const CALL_MS_MAX = 15_000;
/** Each is a connection. A host that is slow or gone takes only its own room. */
const CALLS: ErrandLimits = { max: 64, ofPlaceMax: 4 };
const RETRY: BackoffLimits = { baseMs: 2_000, capMs: 600_000 };
const RETRY_AFTER_MS_MAX = 3_600_000;

/**
 * Tells Git hosts how it goes with commits; a name is a Repository's. What is to be known follows
 * from the records of the repository controller, and what was told is in a record of its own: each
 * state of a commit is told once, also by a dom that leads next, and twice at worst by one that dies
 * between call and record, which hosts do not mind. Calls go out beside the loop, so nothing waits
 * for a host but what is for that host.
 */
export function commitStatusController(ports: CommitStatusPorts): Controller {
  const calls = new Errands<Called | undefined>(CALLS);
  return {
    name: 'commit-status',
    affected: (change) => affected(ports.world, change),
    calls: (look) => calls.listen(look),
    reconcile: (name) => reconcile(ports, calls, name),
  };
}

/** What a call has come to, to be written down. */
interface Called {
  /** Of the Repository. */
  readonly uid: string;
  readonly record: Stored<CommitStatusRecord>;
  /** The commit of which the host was not told, and why; undefined: it was told. */
  readonly failure: { readonly commit: string; readonly error: string } | undefined;
}

/** `undefined`: there was nothing to tell by the time it was begun. */
type Calls = Errands<Called | undefined>;

async function reconcile(ports: CommitStatusPorts, calls: Calls, name: string): Promise<Outcome> {
  const { world, writer } = ports;
  const repository = world.get('Repository', splitName(name));
  const left = leftovers(world, name, repository);
  if (left.length > 0) return afterWrite(await writer.commit(left, AUTHOR), 0);
  if (repository?.spec.commitStatus === undefined) {
    calls.forget(name);
    return 'settled';
  }
  // Its outcome is written over the record that it was begun from.
  if (calls.isOut(name)) return 'settled';
  const called = calls.result(name);
  const { modRevision } = recordOf(world, repository);
  if (called?.uid === repository.metadata.uid && called.record.modRevision === modRevision)
    return await note(ports, repository, called);
  calls.forget(name);
  const decided = decide(ports, repository);
  if (decided === undefined) return 'settled';
  const { step, stored, access, news } = decided;
  switch (step.kind) {
    case 'rest':
      return step.recheckInMs === Infinity ? 'settled' : { recheckInMs: step.recheckInMs };
    case 'giveUp':
      return await write(ports, repository, toldOf(stored, step.news, { how: 'given up', news }));
    case 'tell':
      calls.send(name, {
        place: typeof access === 'string' ? '' : hostOf(access),
        isDoubtful: stored.value.trouble !== undefined,
        work: (signal) => call(ports, name, signal),
      });
      return 'settled';
  }
}

interface Decided {
  readonly step: CommitStatusStep;
  readonly stored: Stored<CommitStatusRecord>;
  readonly access: Access;
  readonly key: string;
  readonly news: readonly CommitNews[];
}

/** Undefined: nothing is known of its commits. */
function decide(ports: CommitStatusPorts, repository: Repository): Decided | undefined {
  const { world, clock } = ports;
  const known = world.record('repository', repository.metadata.uid)?.value;
  if (known === undefined) return undefined;
  const stored = recordOf(world, repository);
  const { access, key } = accessOf(ports, repository);
  const news = newsOf(repository, known);
  const step = planCommitStatus(news, { record: stored.value, key }, clock.nowMs());
  return { step, stored, access, key, news };
}

/** It may have waited for room, so all is read anew. */
async function call(
  ports: CommitStatusPorts,
  name: string,
  signal: AbortSignal,
): Promise<Called | undefined> {
  const repository = ports.world.get('Repository', splitName(name));
  if (repository?.spec.commitStatus === undefined) return undefined;
  const decided = decide(ports, repository);
  if (decided?.step.kind !== 'tell') return undefined;
  const { stored, access, news } = decided;
  const { uid } = repository.metadata;
  const about = decided.step.news;
  try {
    await tell(ports, { access, news: about }, signal);
    return { uid, record: toldOf(stored, about, { how: 'told', news }), failure: undefined };
  } catch (error) {
    // This dom stops, or leads no more: that says nothing of the host.
    signal.throwIfAborted();
    const trouble = troubleOf(ports, decided, { error, about });
    const value: CommitStatusRecord = { ...stored.value, trouble };
    const failure = { commit: about.commit, error: trouble.error };
    return { uid, record: { ...stored, value }, failure };
  }
}

/** Until it is seen to be written nothing else is told. */
async function note(
  ports: CommitStatusPorts,
  repository: Repository,
  { record, failure }: Called,
): Promise<Outcome> {
  const outcome = await write(ports, repository, record);
  if (outcome !== 'conflict' && failure !== undefined)
    ports.events.record({
      ...{ regarding: repository, type: 'Warning', reason: 'CommitStatusNotTaken' },
      message: `the Git host was not told of commit ${shortCommit(failure.commit)}: ${failure.error}`,
      source: { component: AUTHOR.manager },
    });
  return outcome;
}

async function tell(
  { poster, clock }: CommitStatusPorts,
  { access, news }: { readonly access: Access; readonly news: CommitNews },
  signal: AbortSignal,
): Promise<void> {
  if (typeof access === 'string') throw new Error(access);
  const call = callOf(access, news);
  if (call === undefined)
    throw new Error(
      'spec.url does not say what the host calls it: write spec.commitStatus.project',
    );
  const posted = await withDeadline((over) => poster.post(call, over), {
    ...{ clock, ms: CALL_MS_MAX, signal, late: 'no answer' },
  });
  if (isTaken(access.spec, posted)) return;
  const { host } = new URL(call.url);
  throw new RefusedError(`${host} answered ${posted.status}${mendOf(posted.status)}`, posted);
}

class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfterMs = 0 }: { readonly retryAfterMs?: number }) {
    super(message);
    this.retryAfterMs = Math.min(retryAfterMs, RETRY_AFTER_MS_MAX);
  }
}

function mendOf(status: number): string {
  if (status === 401) return ': the token is not valid there';
  if (status === 403) return ': the token may not write commit statuses';
  if (status === 404) return ': no such project or commit, or the token may not see it';
  return '';
}

function troubleOf(
  { clock, random }: CommitStatusPorts,
  { stored, key, access }: Decided,
  { error, about }: { readonly error: unknown; readonly about: CommitNews },
): NonNullable<CommitStatusRecord['trouble']> {
  const { trouble: before } = stored.value;
  const failures = (before?.failures ?? 0) + 1;
  const asked = error instanceof RefusedError ? error.retryAfterMs : 0;
  const nowMs = clock.nowMs();
  const { commit, state } = about;
  const isSame = before?.commit === commit && before.state === state;
  return {
    ...{ failures, key, commit, state, sinceMs: isSame ? before.sinceMs : nowMs },
    nextMs: nowMs + Math.max(backoffMs(failures, RETRY, random), asked),
    error: errorText(error, access),
  };
}

function toldOf(
  { value, modRevision }: Stored<CommitStatusRecord>,
  { commit, state, description }: CommitNews,
  { how, news }: { readonly how: ToldCommit['how']; readonly news: readonly CommitNews[] },
): Stored<CommitStatusRecord> {
  const { trouble: _, told, ...rest } = value;
  // A commit that is still spoken of, as a bad one is for long, is not forgotten, or it would be told again.
  const isNews = (each: ToldCommit): boolean => news.some((one) => one.commit === each.commit);
  const others = told.filter((each) => each.commit !== commit);
  const all = [...others.filter((each) => !isNews(each)), ...others.filter(isNews)];
  all.push({ commit, state, description, how });
  return { value: { ...rest, told: all.slice(-TOLD_COMMITS_MAX) }, modRevision };
}

async function write(
  { writer }: CommitStatusPorts,
  { metadata }: Repository,
  { value, modRevision }: Stored<CommitStatusRecord>,
): Promise<Outcome> {
  const id = metadata.uid;
  const record = 'repositoryTold';
  // The record is news, and calls for the next look by itself.
  return afterWrite(
    await writer.commit([{ kind: 'record', record, id, value, modRevision }], AUTHOR),
  );
}

function recordOf(world: World, { metadata }: Repository): Stored<CommitStatusRecord> {
  const found = world.record('repositoryTold', metadata.uid);
  return found ?? { value: { name: qualifiedName(metadata), told: [] }, modRevision: 0n };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') {
    if (change.record !== 'repository' && change.record !== 'repositoryTold') return [];
    const name = world.record(change.record, change.id)?.value.name;
    return name === undefined ? [] : [name];
  }
  const { object } = change;
  if (isKind(object, 'Repository')) return [qualifiedName(object.metadata)];
  if (!isKind(object, 'Secret')) return [];
  return world
    .list('Repository')
    .filter(({ metadata }) => metadata.namespace === object.metadata.namespace)
    .filter(({ spec }) => {
      const named = spec.commitStatus && (spec.commitStatus.secretRef ?? spec.secretRef);
      return named === object.metadata.name;
    })
    .map(({ metadata }) => qualifiedName(metadata));
}

/** Records of earlier Repositories of this name. */
function leftovers(
  world: World,
  name: string,
  repository: Repository | undefined,
): readonly Operation[] {
  return world
    .records('repositoryTold')
    .filter(([id, { value }]) => value.name === name && id !== repository?.metadata.uid)
    .map(([id, { modRevision }]) => {
      return { kind: 'record', record: 'repositoryTold', id, value: undefined, modRevision };
    });
}
