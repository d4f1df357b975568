import { stringify } from 'yaml';
import type { Said } from '../load/b8sctl.ts';
import { Cast } from './cast.ts';
import { findAmiss, type Scene } from './look.ts';
import { FOLDER } from './release.ts';
import {
  type Action,
  type CommitAction,
  GIT_REMOTE,
  type Interruption,
  type Scenario,
  type Step,
} from './scenario.ts';
import type { Made, Stage, Surroundings } from './stage.ts';
import { Visitors } from './visitors.ts';

/** How often an expectation is looked at. */
const LOOK_MS = 100;
/** A person tries again for so long when dom is away. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 250;
/** An upload that is to be interrupted is over by then, one way or the other. */
const UPLOAD_MS_MAX = 10_000;

/**
 * Plays a scenario to its last step; what is on the stage then can be looked at. Throws at the first
 * step that cannot be done or whose expectation does not come true, with file and line, and when a
 * visitor has seen a failure.
 */
export async function play(scenario: Scenario, stage: Stage): Promise<Scene> {
  const scene = { cast: new Cast(scenario.topology), stage };
  const visitors = new Visitors(scene);
  const player = new Player(scene, visitors);
  try {
    const first = scenario.topology.nodes.filter(({ joins }) => joins === 'first');
    await Promise.all(first.map(({ name }) => player.act({ do: 'join', node: name })));
    for (const step of scenario.steps) await inPlace(scenario, step, () => player.act(step.action));
  } catch (error) {
    // What they saw may well be why.
    await visitors.stop().catch((seen: unknown) => addTo(error, seen));
    throw error;
  }
  await visitors.stop();
  return scene;
}

async function inPlace(
  { name }: Scenario,
  { line, says }: Step,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name}.yaml:${line} ${says}: ${why}`, { cause });
  }
}

function addTo(error: unknown, seen: unknown): void {
  if (error instanceof Error && seen instanceof Error) error.message += `\n${seen.message}`;
}

class Player {
  readonly #scene: Scene;
  readonly #visitors: Visitors;

  constructor(scene: Scene, visitors: Visitors) {
    this.#scene = scene;
    this.#visitors = visitors;
  }

  async act(action: Action): Promise<void> {
    const { stage } = this.#scene;
    switch (action.do) {
      case 'apply':
        return this.#apply(action);
      case 'commit':
        return this.#commit(action);
      case 'publish':
        return this.#publish(action);
      case 'rollback':
        return this.#insist(['rollout', 'undo', `site/${action.site}`]);
      case 'delete':
        return this.#insist(['delete', `${action.kind}/${action.name}`, '--ignore-not-found']);
      case 'cordon':
      case 'uncordon':
      case 'drain':
        return this.#insist([action.do, action.node]);
      case 'join':
        return this.#join(action.node);
      case 'remove':
        return this.#remove(action.node);
      case 'cutOff':
        return stage.cutOff(action.node);
      case 'heal':
        return stage.heal(action.node);
      case 'kill':
      case 'start':
      case 'pause':
      case 'resume':
        return this.#toProcess(action);
      case 'pass':
        return stage.clock.sleep(action.ms);
      case 'visit':
        return this.#visitors.visit(action.site);
      case 'expect':
        return this.#expect(action);
    }
  }

  async #apply({ manifests, refused, force }: Extract<Action, { do: 'apply' }>): Promise<void> {
    const { stage } = this.#scene;
    const texts = manifests.map((manifest) => stringify(manifest));
    const input = texts.join('---\n').replaceAll(GIT_REMOTE, stage.gitUrl());
    const words = ['apply', '-f', '-', ...(force === undefined ? [] : ['--force-conflicts'])];
    if (refused === undefined) {
      await this.#insist(words, { input });
      for (const manifest of manifests) this.#scene.cast.applied(manifest);
      return;
    }
    const said = await stage.b8sctl(words, { input });
    if (said.exitCode === 0) throw new Error('it was accepted');
    if (!said.stderr.includes(refused))
      throw new Error(`it was refused in other words: ${said.stderr}`);
  }

  async #commit(action: CommitAction): Promise<void> {
    const { cast, stage } = this.#scene;
    const pages = [...action.pages].flatMap(([folder, { site, version }]) => {
      const release = cast.release(site, version);
      stage.making(release);
      return [...release.files].map(([path, bytes]): [string, Uint8Array] => [
        `${folder}/${path}`,
        bytes,
      ]);
    });
    const changed = new Map<string, string | Uint8Array>([...action.files, ...pages]);
    const files = cast.staged({ ...action, files: changed });
    cast.committed(action.message, await stage.commit(files, action.message));
    for (const manifest of action.manifests) cast.applied(manifest);
  }

  async #publish(action: Extract<Action, { do: 'publish' }>): Promise<void> {
    const { cast, stage } = this.#scene;
    const { site, version, interrupted } = action;
    const release = cast.release(site, version);
    stage.making(release);
    const words = ['push', FOLDER, '--site', site];
    if (interrupted === undefined) await this.#insist(words, { files: filesOf(release) });
    else await this.#publishInterrupted(words, release, interrupted);
  }

  async #publishInterrupted(
    words: readonly string[],
    release: Made,
    { kill, afterBlobs }: Interruption,
  ): Promise<void> {
    const { stage } = this.#scene;
    const before = await stage.blobs();
    const pushing = stage.b8sctl(words, { files: filesOf(release) });
    for (let leftMs = UPLOAD_MS_MAX; (await stage.blobs()) < before + afterBlobs; leftMs -= 1) {
      if (leftMs <= 0) throw new Error('dom never got so many blobs');
      await stage.clock.sleep(1);
    }
    await this.#toProcess({ do: 'kill', process: kill });
    const { exitCode } = await pushing;
    if (exitCode === 0) throw new Error('b8sctl was done before it could be interrupted');
  }

  async #join(node: string): Promise<void> {
    const { cast, stage } = this.#scene;
    await stage.join(cast.setup(node));
    cast.change(node, { from: ['absent', 'removed'], to: 'up' });
  }

  async #remove(node: string): Promise<void> {
    await this.#insist(['delete', `node/${node}`, '--ignore-not-found']);
    this.#scene.cast.change(node, { from: ['up', 'paused', 'down'], to: 'removed' });
  }

  /** It counts as done to from the moment at which it begins, and as up only once it is over. */
  async #toProcess({ do: verb, process }: Extract<Action, { process: string }>): Promise<void> {
    const { cast, stage } = this.#scene;
    switch (verb) {
      case 'kill':
        cast.change(process, { from: ['up', 'paused'], to: 'down' });
        return stage.kill(process);
      case 'start':
        await stage.start(process);
        return cast.change(process, { from: ['down'], to: 'up' });
      case 'pause':
        cast.change(process, { from: ['up'], to: 'paused' });
        return stage.pause(process);
      case 'resume':
        await stage.resume(process);
        return cast.change(process, { from: ['paused'], to: 'up' });
    }
  }

  async #expect({ expectation, withinMs }: Extract<Action, { do: 'expect' }>): Promise<void> {
    const { clock } = this.#scene.stage;
    const deadlineMs = clock.monotonicMs() + withinMs;
    for (;;) {
      const amiss = await findAmiss(this.#scene, expectation);
      if (amiss === undefined) return;
      if (clock.monotonicMs() > deadlineMs)
        throw new Error(`not within ${withinMs / 1000} s: ${amiss}`);
      await clock.sleep(LOOK_MS);
    }
  }

  /** As a person does: again, while dom is away. Throws what b8sctl said otherwise. */
  async #insist(words: readonly string[], surroundings?: Surroundings): Promise<void> {
    const { stage } = this.#scene;
    const { clock } = stage;
    const deadlineMs = clock.monotonicMs() + PATIENCE_MS;
    for (;;) {
      const said = await stage.b8sctl(words, surroundings);
      if (said.exitCode === 0) return;
      if (!isPassing(said) || clock.monotonicMs() > deadlineMs)
        throw new Error(`b8sctl ${words.join(' ')}: ${said.stderr}`);
      await clock.sleep(RETRY_MS);
    }
  }
}

/** In b8sctl's own words: dom is not there, does not lead, or does not answer. */
function isPassing({ stderr }: Said): boolean {
  return /is dom running there|does not lead|dom is starting|did not answer|connection broke|Unavailable/.test(
    stderr,
  );
}

function filesOf({ files }: Made): ReadonlyMap<string, Uint8Array> {
  return new Map([...files].map(([path, bytes]) => [`${FOLDER}/${path}`, bytes]));
}
