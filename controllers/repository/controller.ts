import { condition } from '../../api/object.ts';
import { durationOf, type Repository, type RepositoryStatus } from '../../api/repository.ts';
import type { BlobShelf } from '../../runtime/content/blob-shelf.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import type { Git } from '../../runtime/git/git.ts';
import type { Random } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { createSecrets, SecretLostError } from '../../runtime/secret/secrets.ts';
import { splitName } from '../../runtime/store/keys.ts';
import type { WorldChange } from '../../runtime/store/world.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { affected } from './affected.ts';
import { KnownFiles } from './commit/content.ts';
import { Jobs } from './commit/jobs.ts';
import { signedBy } from './commit/verify.ts';
import { type WantedOutcome, wantedOf } from './commit/wanted.ts';
import type { CommitSet, Facts, RemoteView, Verdict } from './facts.ts';
import { forecastId } from './forecast/forecasts.ts';
import { comingBeside, factsOf, recordOf } from './gather.ts';
import { leftoversOf } from './leftovers.ts';
import { type Note, noteOf, noteOfLeft } from './notes.ts';
import { compareAhead } from './plan/compare-ahead.ts';
import { Comparisons } from './plan/comparisons.ts';
import { driftText } from './plan/drift.ts';
import { forgetUndo } from './plan/forget-undo.ts';
import { Keepers } from './plan/keepers.ts';
import { planRepository, type Step } from './plan/plan.ts';
import {
  AUTHOR,
  applyChanges,
  type Corrected,
  checkChanges,
  correct,
  type Progress,
  restore,
  StepFailure,
  type StepPorts,
} from './plan/steps.ts';
import { stillUnready } from './plan/unready.ts';
import { keepUp } from './plan/upkeep.ts';
import { statusOf } from './status.ts';
import { commitStatus, webhookStatus } from './webhook.ts';
import { type Say, saying, sayOfBegun, troubled } from './words.ts';

export interface RepositoryPorts extends StepPorts {
  readonly events: EventRecorder;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly git: Git;
  readonly blobs: BlobShelf;
  /** Of all doms, "host:port", for the URLs of webhooks. */
  readonly hookAddresses?: readonly string[] | undefined;
}

/** After a step that failed. */
const AGAIN_MS = 5_000;
/** Somebody who changes a field as often as it is put back must not keep dom busy. */
const CORRECT_AGAIN_MS = 10_000;
/** A verdict may depend on what others declare, so it is asked for again. */
const VERDICT_MS = 60_000;
/** After a step that seems to have changed nothing. */
const LOOK_AGAIN_MS = 1_000;
/** Records forgotten in one transaction. */
const FORGET_MAX = 90;

/**
 * Follows Git repositories; a name is a Repository's. One commit is one change: all of it is checked
 * before anything is written, and what was changed can be put back until all of it is Ready.
 *
 * What dom must know after a crash is in three records (`RepositoryRecord` and those of its objects),
 * each written in the same transaction as what it speaks of; the rest can be found again.
 */
export function repositoryController(ports: RepositoryPorts): Controller {
  const work = new Work(ports);
  return {
    name: 'repository',
    affected: (change) => work.affected(change),
    calls: (look) => work.listen(look),
    reconcile: (name) => work.reconcile(name),
  };
}

/** What is remembered of a Repository between two looks, and may be forgotten. */
interface Memory {
  readonly uid: string;
  verdict?: (Verdict & { readonly untilMs: number; readonly generation: number }) | undefined;
  trouble?: string | undefined;
  correctedMs?: number;
  /** When this dom has first seen the attempt, by its steady clock. */
  attempt?: { readonly id: string; readonly seenMs: number } | undefined;
  /** The commit that it was last asked to read by another one, which waits for that. */
  hurriedFor?: string | undefined;
  /** What the remote was looked at for last, see `Wanted.key`. */
  lookedFor?: string;
}

class Work {
  readonly #ports: RepositoryPorts;
  readonly #jobs: Jobs;
  readonly #keepers: Keepers;
  readonly #comparisons: Comparisons;
  readonly #memories = new Map<string, Memory>();

  constructor(ports: RepositoryPorts) {
    this.#ports = ports;
    this.#jobs = new Jobs({ ...ports, known: new KnownFiles() });
    this.#keepers = new Keepers(ports.world);
    this.#comparisons = new Comparisons(ports.sealer);
  }

  listen(look: (name: string) => void): () => void {
    return this.#jobs.listen(look);
  }

  affected(change: WorldChange): readonly string[] {
    return affected(this.#ports.world, this.#keepers, change);
  }

  async reconcile(name: string): Promise<Outcome> {
    const { world, clock } = this.#ports;
    const repository = world.get('Repository', splitName(name));
    const left = leftoversOf(world, name, repository);
    if (left.length > 0) {
      const written = await this.#ports.writer.commit(left.slice(0, FORGET_MAX), AUTHOR);
      return afterWrite(written, 0);
    }
    if (repository === undefined || repository.metadata.deletionTimestamp !== undefined) {
      this.#jobs.forget(name);
      this.#memories.delete(name);
      const living = world.list('Repository').map(({ metadata }) => metadata.uid);
      await this.#ports.git.keepOnly(living.flatMap((uid) => [uid, forecastId(uid)]));
      return 'settled';
    }
    const remote = this.#look(name, repository);
    if ('problem' in remote) return await this.#say(repository, remote.problem, undefined);
    const { set } = remote;
    await compareAhead({ world, clock, comparisons: this.#comparisons }, repository, set);
    return await this.#decide(name);
  }

  /** From what is so now: while all was compared others had their turn. */
  async #decide(name: string): Promise<Outcome> {
    const { world, clock } = this.#ports;
    const repository = world.get('Repository', splitName(name));
    if (repository === undefined) return { recheckInMs: 0 };
    const memory = this.#memoryOf(name, repository);
    const remote = this.#look(name, repository);
    if ('problem' in remote) return await this.#say(repository, remote.problem, undefined);
    const facts = factsOf(world, {
      ...{ repository, remote, keepers: this.#keepers, comparisons: this.#comparisons },
      ...{ verdict: this.#verdictOf(memory, repository), trouble: memory.trouble },
      attemptForMs: this.#attemptForMs(memory, repository),
      setOf: (other, commit) => this.#setOf(other, commit),
    });
    return await this.#do(keepUp(facts, planRepository(facts, clock.nowMs())), facts, memory);
  }

  async #do(step: Step, facts: Facts, memory: Memory): Promise<Outcome> {
    const { clock, writer } = this.#ports;
    switch (step.kind) {
      case 'wait':
        return 'settled';
      case 'rest':
        return await this.#say(facts.repository, step.say, facts, step.recheckInMs);
      case 'note': {
        const dropped = step.undo === 'drop' ? await forgetUndo(this.#ports.writer, facts) : 'done';
        if (dropped !== 'done') return dropped;
        memory.trouble = undefined;
        memory.verdict = undefined;
        const { repository } = facts;
        const { modRevision } = recordOf(this.#ports.world, repository);
        const id = repository.metadata.uid;
        const begun = sayOfBegun(facts.record, step.record);
        const written = await writer.commit(
          [
            // Whoever reads that it is Ready, reads objects of one commit.
            begun === undefined
              ? { kind: 'expect', base: repository }
              : {
                  kind: 'status',
                  base: repository,
                  status: this.#statusOf(repository, begun, facts),
                },
            { kind: 'record', record: 'repository', id, value: step.record, modRevision },
            ...(step.unready === undefined ? [] : [stillUnready(step.unready)]),
          ],
          AUTHOR,
        );
        if (written.outcome === 'written') this.#tell(facts, noteOf(facts.record, step.record));
        return afterWrite(written);
      }
      case 'check': {
        const { problems, digest } = await checkChanges(this.#ports, facts, step);
        const { generation } = facts.repository.metadata;
        const { commit } = step.set;
        // What a plan said must be so in the moment in which it is begun.
        const isPlanned = facts.record.expected?.commit === commit;
        const isSettled = facts.behind(commit) === undefined && !isPlanned;
        const forMs = isSettled ? VERDICT_MS : LOOK_AGAIN_MS;
        const lastsMs = Math.min(forMs, durationOf(facts.repository.spec.interval));
        const untilMs = clock.monotonicMs() + lastsMs;
        memory.verdict = { commit, problems, digest, untilMs, generation };
        return { recheckInMs: 0 };
      }
      case 'change': {
        const { changes, force, attempt } = step;
        const { commit } = attempt;
        return await this.#try(facts, memory, step.say, async () => {
          const progress = await applyChanges(this.#ports, facts, { changes, commit, force });
          this.#tell(facts, noteOfLeft(changes, commit));
          return progress;
        });
      }
      case 'restore':
        return await this.#try(facts, memory, step.say, () =>
          restore(this.#ports, facts, step.attempt.commit),
        );
      case 'correct':
        return await this.#correct(step, facts, memory);
    }
  }

  /** What was written calls for the next look by itself; if nothing was, it is looked again. */
  async #try(
    facts: Facts,
    memory: Memory,
    say: Say,
    work: () => Promise<Progress>,
  ): Promise<Outcome> {
    try {
      const progress = await work();
      memory.trouble = undefined;
      return { recheckInMs: progress === 'more' ? 0 : LOOK_AGAIN_MS };
    } catch (error) {
      if (error instanceof RequestError && error.code === 'ABORTED') return 'conflict';
      const isKnown = error instanceof StepFailure || error instanceof RequestError;
      if (!isKnown) throw error;
      memory.trouble = describeError(error instanceof StepFailure ? error.message : error);
      return await this.#say(facts.repository, troubled(say, memory.trouble), facts, AGAIN_MS);
    }
  }

  async #correct(
    step: Step & { readonly kind: 'correct' },
    facts: Facts,
    memory: Memory,
  ): Promise<Outcome> {
    const { clock } = this.#ports;
    const message = `putting back ${step.drift.map(driftText).slice(0, 5).join('; ')}`;
    const ready = { status: 'False', reason: 'Drifted' } as const;
    const say: Say = { ready, mood: 'working', message };
    const waitMs = (memory.correctedMs ?? -Infinity) + CORRECT_AGAIN_MS - clock.monotonicMs();
    if (waitMs > 0)
      return await this.#say(facts.repository, troubled(say, memory.trouble), facts, waitMs);
    memory.correctedMs = clock.monotonicMs();
    const done: { corrected: Corrected } = { corrected: 'nothing' };
    const outcome = await this.#try(facts, memory, say, async () => {
      done.corrected = await correct(this.#ports, facts, step.keys);
      return 'done';
    });
    if (done.corrected === 'something')
      this.#tell(facts, {
        ...{ type: 'Warning', reason: 'DriftCorrected' },
        message: `put back: ${step.drift.map(driftText).join('; ')}`,
      });
    return outcome;
  }

  async #say(
    repository: Repository,
    say: Say,
    facts: Facts | undefined,
    recheckInMs: number = Infinity,
  ): Promise<Outcome> {
    const { writer } = this.#ports;
    const status = this.#statusOf(repository, say, facts);
    const before = condition(repository, 'Ready');
    const written = await writer.commit([{ kind: 'status', base: repository, status }], AUTHOR);
    const isNews = before?.reason !== say.ready.reason || before.message !== say.message;
    // That a commit was rolled back was told when it was.
    const isTold = say.mood === 'stalled' && say.ready.reason !== 'BadCommit';
    if (written.outcome === 'written' && isNews && isTold && facts !== undefined)
      this.#tell(facts, { type: 'Warning', reason: say.ready.reason, message: say.message });
    return afterWrite(written, recheckInMs);
  }

  #statusOf(repository: Repository, say: Say, facts: Facts | undefined): RepositoryStatus {
    const { clock, world } = this.#ports;
    return statusOf(
      {
        ...{ repository, say, record: recordOf(world, repository).value },
        target: facts?.remote.set?.commit ?? facts?.remote.head,
        signedBy: signedBy(repository, facts?.remote.set),
        objects: facts?.inventory.size ?? 0,
        drift: facts === undefined ? [] : facts.drifted().map(({ drift }) => drift),
        webhook: webhookStatus(this.#ports, repository),
        commitStatus: commitStatus(this.#ports.world, repository),
      },
      clock.nowMs(),
    );
  }

  #tell({ repository }: Facts, note: Note | undefined): void {
    if (note === undefined) return;
    const source = { component: AUTHOR.manager };
    this.#ports.events.record({ ...note, regarding: repository, source });
  }

  #look(name: string, repository: Repository): RemoteView | { readonly problem: Say } {
    if (repository.spec.suspend) {
      this.#jobs.forget(name);
      return NOT_LOOKING;
    }
    try {
      const wanted = this.#wanted(repository);
      if (wanted.kind === 'refused')
        return { problem: saying('False', wanted.reason, 'stalled', wanted.message) };
      this.#memoryOf(name, repository).lookedFor = wanted.wanted.key;
      const request = this.#askFor(name, repository, wanted.wanted.request);
      return this.#jobs.view(name, { ...wanted.wanted, request });
    } catch (error) {
      if (error instanceof SecretLostError)
        return { problem: saying('False', 'SecretLost', 'stalled', error.message) };
      throw error;
    }
  }

  /** Another one waits for this one to read a commit, which must not last until its `interval` is over. */
  #askFor(name: string, repository: Repository, request: string | undefined): string | undefined {
    const { world } = this.#ports;
    const memory = this.#memoryOf(name, repository);
    const isAnswered = request === recordOf(world, repository).value.request;
    if (request !== undefined && !isAnswered) {
      memory.hurriedFor = undefined;
      return request;
    }
    const coming = comingBeside(world, repository);
    if (coming !== undefined && this.#jobs.setOf(name, coming) === undefined)
      memory.hurriedFor = coming;
    // It stays as it is, for another text asks for another look.
    return memory.hurriedFor === undefined ? request : `${request ?? ''} for ${memory.hurriedFor}`;
  }

  #wanted(repository: Repository): WantedOutcome {
    const { world } = this.#ports;
    const record = recordOf(world, repository).value;
    return wantedOf(repository, { secrets: createSecrets(this.#ports), world, record });
  }

  /** What was read for another folder, say, than the Repository names by now, says nothing of it. */
  #setOf(name: string, commit: string): CommitSet | undefined {
    const set = this.#jobs.setOf(name, commit);
    const repository = this.#ports.world.get('Repository', splitName(name));
    if (set === undefined || repository === undefined) return undefined;
    try {
      const wanted = this.#wanted(repository);
      const { lookedFor } = this.#memoryOf(name, repository);
      return wanted.kind === 'wanted' && wanted.wanted.key === lookedFor ? set : undefined;
    } catch (error) {
      if (error instanceof SecretLostError) return undefined;
      throw error;
    }
  }

  #memoryOf(name: string, { metadata: { uid } }: Repository): Memory {
    const known = this.#memories.get(name);
    if (known?.uid === uid) return known;
    const made: Memory = { uid };
    this.#memories.set(name, made);
    return made;
  }

  #attemptForMs(memory: Memory, repository: Repository): number {
    const { attempt } = recordOf(this.#ports.world, repository).value;
    const nowMs = this.#ports.clock.monotonicMs();
    // While it is suspended nobody brings anything in.
    const isOn = attempt !== undefined && !repository.spec.suspend;
    const id = isOn ? `${attempt.commit} ${attempt.sinceMs}` : undefined;
    if (memory.attempt?.id !== id)
      memory.attempt = id === undefined ? undefined : { id, seenMs: nowMs };
    return nowMs - (memory.attempt?.seenMs ?? nowMs);
  }

  #verdictOf({ verdict }: Memory, { metadata }: Repository): Verdict | undefined {
    const isFresh =
      verdict !== undefined &&
      verdict.generation === metadata.generation &&
      this.#ports.clock.monotonicMs() < verdict.untilMs;
    return isFresh ? verdict : undefined;
  }
}

const NOT_LOOKING: RemoteView = {
  ...{ head: undefined, set: undefined, failure: undefined, request: undefined },
  phase: 'idle',
  nextInMs: Infinity,
};
