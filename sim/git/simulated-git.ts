import { fakeGit } from '../../runtime/git/fake/fake-git.ts';
import { FakeRemote } from '../../runtime/git/fake/remote.ts';
import { type Git, type GitCommit, GitError } from '../../runtime/git/git.ts';
import type { Checks } from '../check/checks.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { Published } from '../load/content.ts';
import { CALM_GIT_WEATHER, type GitSetting, type GitWeather } from './git-setting.ts';
import { declaredIn, filesOf, type Tree } from './tree.ts';

export const GIT_URL = 'https://git.test/infra.git';
/** Of each Repository, its `spec.path`, too. */
export const FOLLOWERS = ['one', 'two'] as const;
const BRANCH = 'refs/heads/main';
export const TAG = 'live';

export interface SimulatedGitPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly checks: Checks;
}

/** Who asks. */
export interface AskingDom {
  readonly host: string;
  readonly process: Process;
}

/** A Git server on the Internet of a world, with weather of its own. */
export class SimulatedGit {
  readonly setting: GitSetting;
  readonly remote: FakeRemote = new FakeRemote();
  readonly trees = new Map<string, Tree>();
  /** In the order in which they were pushed. */
  readonly pushed: string[] = [];
  /** Objects, by key, that somebody other than a Repository has made or changed by hand. */
  readonly touched = new Set<string>();
  /** Labels that no manifest names, and somebody has set: by key of the object, with its uid. */
  readonly labelled = new Map<string, string>();
  isReachable = true;
  weather: GitWeather;
  /** Commits that nothing leads to any more, and that were cleared away. */
  readonly #forgotten = new Set<string>();
  readonly #ports: SimulatedGitPorts;
  readonly #git: Git;

  constructor(ports: SimulatedGitPorts, setting: GitSetting) {
    this.#ports = ports;
    this.setting = setting;
    this.weather = setting.weather;
    const weather = (_url: string, signal: AbortSignal): Promise<void> => this.#befall(signal);
    this.#git = fakeGit({ remotes: new Map([[GIT_URL, this.remote]]), weather });
  }

  /** What is followed means this commit; undefined: nothing was pushed. */
  get head(): string | undefined {
    const { follows } = this.setting;
    return this.remote.refs.get(follows === 'tag' ? `refs/tags/${TAG}` : BRANCH);
  }

  /** What a Repository of that folder is to make of a commit; undefined: nothing. */
  declared(commit: string, folder: string): ReadonlyMap<string, object> | undefined {
    const tree = this.trees.get(commit);
    return tree === undefined ? undefined : declaredIn(tree, folder);
  }

  /** What Sites are to be served from by that commit. */
  contents(commit: string): readonly Published[] {
    const objects = this.trees.get(commit)?.objects.values() ?? [];
    return [...objects].flatMap(({ content }) => content ?? []);
  }

  push(tree: Tree, subject: string): string {
    const { checks, trace } = this.#ports;
    for (const { name, content } of tree.objects.values())
      if (content !== undefined) checks.published(name, content);
    const commit = this.remote.commit(filesOf(tree), { subject });
    this.trees.set(commit, tree);
    this.pushed.push(commit);
    this.remote.tag(TAG, commit);
    trace.add('git', `${commit.slice(0, 7)} is pushed: ${subject}`, { kind: 'user' });
    return commit;
  }

  /** The history is rewritten: what came after that commit is no more, and cleared away. */
  rewind(commit: string): void {
    const { refs } = this.remote;
    for (const name of ['HEAD', BRANCH, `refs/tags/${TAG}`]) refs.set(name, commit);
    const from = this.pushed.lastIndexOf(commit) + 1;
    for (const gone of this.pushed.slice(from)) this.#forgotten.add(gone);
    const told = `history is rewritten to ${commit.slice(0, 7)}`;
    this.#ports.trace.add('git', told, { kind: 'user' });
  }

  clearUp(): void {
    this.isReachable = true;
    this.weather = CALM_GIT_WEATHER;
  }

  /** What one process of dom holds. */
  git({ host, process }: AskingDom): Git {
    const { trace } = this.#ports;
    const heard = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
      trace.learns('git', trace.known(host));
      try {
        return await call();
      } catch (error) {
        trace.add('git', `${what} of ${host} fails: ${String(error)}`, { kind: 'fault' });
        throw error;
      } finally {
        trace.learns(host, trace.known('git'));
      }
    };
    return process.wrap<Git>({
      resolve: (remote, ref, signal) =>
        heard('a look', async () => {
          const found = await this.#git.resolve(remote, ref, signal);
          if (this.#befalls('empty')) throw new GitError('RefNotFound', 'it has no refs at all');
          return found;
        }),
      open: (remote, target, options) =>
        heard('a fetch', async () => {
          if (this.#forgotten.has(target.commit))
            throw new GitError('RefNotFound', `there is no commit ${target.commit} any more`);
          const opened = await this.#git.open(remote, target, options);
          if (this.#befalls('truncated')) throw truncated();
          const given = this.#befalls('truncated') ? breakingOff(opened) : opened;
          return process.wrap(this.weather.unreadable > 0 ? this.#withHoles(given) : given);
        }),
      keepOnly: (ids) => this.#git.keepOnly(ids),
    });
  }

  async #befall(signal: AbortSignal): Promise<void> {
    const { scheduler, random } = this.#ports;
    const { slowMsMax } = this.weather;
    if (this.#befalls('slow')) await scheduler.sleep(random.integer(1, slowMsMax), signal);
    if (!this.isReachable || this.#befalls('unreachable'))
      throw new GitError('Unreachable', 'nobody answers at git.test');
  }

  #withHoles(opened: GitCommit): GitCommit {
    return {
      ...opened,
      read: (entry) => (this.#befalls('unreadable') ? breakingOff(opened) : opened).read(entry),
    };
  }

  #befalls(what: 'unreachable' | 'empty' | 'truncated' | 'unreadable' | 'slow'): boolean {
    return this.#ports.random.chance(this.weather[what]);
  }
}

function truncated(): GitError {
  return new GitError('Unreachable', 'fetch-pack: unexpected disconnect while reading a packet');
}

/** The list comes, and files do not. */
function breakingOff(opened: GitCommit): GitCommit {
  return {
    ...opened,
    async *read(entry) {
      for await (const chunk of opened.read(entry)) {
        yield chunk.subarray(0, chunk.length / 2);
        throw truncated();
      }
    },
  };
}
