import type { Repository } from '../../api/repository.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { shortCommit } from '../../runtime/git/git.ts';
import type { Poster } from '../../runtime/poster.ts';
import { printable } from '../../runtime/printable.ts';
import type { Random } from '../../runtime/random.ts';
import { createSecrets } from '../../runtime/secret/secrets.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Writer } from '../../runtime/store/writer.ts';
import type { CommitStatusRecord, ToldCommit } from '../../runtime/telling-records.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { type CommitNews, callOf, type HostAccess, isTaken } from './host.ts';
import { newsOf, planCommitStatus, TOLD_COMMITS_MAX } from './plan.ts';

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
const RETRY: BackoffLimits = { baseMs: 2_000, capMs: 600_000 };
const RETRY_AFTER_MS_MAX = 3_600_000;
const ERROR_CHARACTERS_MAX = 300;

/**
 * Tells Git hosts how it goes with commits; a name is a Repository's. What is to be known follows
 * from the records of the repository controller, and what was told is in a record of its own: each
 * state of a commit is told once, also by a dom that leads next, and twice at worst by one that dies
 * between call and record, which hosts do not mind. Nothing waits for it but its own loop.
 */
export function commitStatusController(ports: CommitStatusPorts): Controller {
  return {
    name: 'commit-status',
    // For they wait for others.
    concurrency: 8,
    affected: (change) => affected(ports.world, change),
    reconcile: (name, signal) => reconcile(ports, name, signal),
  };
}

async function reconcile(
  ports: CommitStatusPorts,
  name: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const { world, writer, clock } = ports;
  const repository = world.get('Repository', splitName(name));
  const left = world
    .records('repositoryTold')
    .filter(([id, { value }]) => value.name === name && id !== repository?.metadata.uid)
    .map(([id, { modRevision }]) => {
      return {
        kind: 'record',
        record: 'repositoryTold',
        id,
        value: undefined,
        modRevision,
      } as const;
    });
  if (left.length > 0) return afterWrite(await writer.commit(left, AUTHOR), 0);
  if (repository?.spec.commitStatus === undefined) return 'settled';
  const known = world.record('repository', repository.metadata.uid)?.value;
  if (known === undefined) return 'settled';
  const stored = recordOf(world, repository);
  const { access, key } = accessOf(ports, repository);
  const facts = { record: stored.value, key };
  const news = newsOf(repository, known);
  const step = planCommitStatus(news, facts, clock.nowMs());
  switch (step.kind) {
    case 'rest':
      return step.recheckInMs === Infinity ? 'settled' : { recheckInMs: step.recheckInMs };
    case 'giveUp':
      return await write(ports, repository, toldOf(stored, step.news, { how: 'given up', news }));
    case 'tell':
      try {
        await tell(ports, { access, news: step.news }, signal);
      } catch (error) {
        // This dom stops, or leads no more: that says nothing of the host.
        signal.throwIfAborted();
        return await failed(ports, { repository, stored, key }, { error, news: step.news, access });
      }
      return await write(ports, repository, toldOf(stored, step.news, { how: 'told', news }));
  }
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

async function failed(
  ports: CommitStatusPorts,
  {
    repository,
    stored,
    key,
  }: {
    readonly repository: Repository;
    readonly stored: Stored<CommitStatusRecord>;
    readonly key: string;
  },
  {
    error,
    news,
    access,
  }: {
    readonly error: unknown;
    readonly news: CommitNews;
    readonly access: Access;
  },
): Promise<Outcome> {
  const { clock, random, events } = ports;
  const { trouble: before } = stored.value;
  const failures = (before?.failures ?? 0) + 1;
  const asked = error instanceof RefusedError ? error.retryAfterMs : 0;
  const nowMs = clock.nowMs();
  const { commit, state } = news;
  const isSame = before?.commit === commit && before.state === state;
  const trouble = {
    ...{ failures, key, commit, state, sinceMs: isSame ? before.sinceMs : nowMs },
    nextMs: nowMs + Math.max(backoffMs(failures, RETRY, random), asked),
    error: errorText(error, access),
  };
  const value: CommitStatusRecord = { ...stored.value, trouble };
  const outcome = await write(ports, repository, { ...stored, value });
  if (outcome !== 'conflict')
    events.record({
      ...{ regarding: repository, type: 'Warning', reason: 'CommitStatusNotTaken' },
      message: `the Git host was not told of commit ${shortCommit(commit)}: ${trouble.error}`,
      source: { component: AUTHOR.manager },
    });
  return outcome;
}

function errorText(error: unknown, access: Access): string {
  const text = describeError(error);
  const clean = typeof access === 'string' ? text : text.replaceAll(access.token, '(sealed)');
  return printable(clean).slice(0, ERROR_CHARACTERS_MAX);
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

/** A text: why there is none, for a person. */
type Access = HostAccess | string;

function accessOf(
  ports: CommitStatusPorts,
  { metadata, spec }: Repository,
): { readonly access: Access; readonly key: string } {
  const { namespace = '', generation } = metadata;
  const { commitStatus, url } = spec;
  const named = commitStatus?.secretRef ?? spec.secretRef ?? '';
  const name = qualifiedName({ namespace, name: named });
  const secret = ports.world.get('Secret', { namespace, name: named });
  const key = `${generation}/${secret?.metadata.resourceVersion ?? ''}`;
  const problem = (access: string): { readonly access: Access; readonly key: string } => {
    return { access, key };
  };
  if (commitStatus === undefined || secret === undefined)
    return problem(`Secret ${name} is not there`);
  try {
    const read = (value: string): string | undefined => createSecrets(ports).read(name, value);
    const token = read('token');
    if (token === undefined) return problem(`Secret ${name} has no "token"`);
    // A line break would begin another header.
    if (!/^[\x21-\x7e]+$/.test(token))
      return problem(`"token" of Secret ${name} has characters that no token has`);
    const context = commitStatus.context ?? `b8s/${qualifiedName(metadata)}`;
    return { access: { spec: commitStatus, url, context, token, caBundle: read('caBundle') }, key };
  } catch (error) {
    return problem(describeError(error));
  }
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
