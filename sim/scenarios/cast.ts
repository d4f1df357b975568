import type { NodeRole } from '../../api/node.ts';
import type { SiteSpec } from '../../api/site.ts';
import type { ZoneSpec } from '../../api/zone.ts';
import { makeRelease, markOf } from './release.ts';
import {
  type CommitAction,
  domNames,
  type Manifest,
  type NodeSetup,
  RECORD_TYPES,
  type RecordType,
  type Topology,
  type Which,
} from './scenario.ts';
import type { Files, Made } from './stage.ts';

/**
 * What has become of a process by the scenario's own doing. `removed`: its Node was deleted; what it
 * does then is its own affair.
 */
export type Phase = 'absent' | 'up' | 'paused' | 'down' | 'removed';

interface Actor {
  /** Undefined: a dom. */
  readonly setup: NodeSetup | undefined;
  phase: Phase;
  /** Grows with each change of phase: what was asked before it proves nothing. */
  life: number;
}

/** A name that people may ask for. */
export interface Asked {
  readonly name: string;
  readonly type: RecordType;
}

/** All that the scenario has done so far, as its player remembers it. */
export class Cast {
  readonly #actors = new Map<string, Actor>();
  /** By site: its hosts. Deleted ones stay: they must not be served. */
  readonly #hosts = new Map<string, readonly string[]>();
  readonly #asked = new Map<string, Asked>();
  /** By mark. */
  readonly #releases = new Map<string, Made & { readonly version: number }>();
  /** What the last commit holds, by path. */
  readonly #tree = new Map<string, string | Uint8Array>();
  /** By message. */
  readonly #commits = new Map<string, string>();

  constructor(topology: Topology) {
    for (const name of domNames(topology))
      this.#actors.set(name, { setup: undefined, phase: 'up', life: 0 });
    for (const setup of topology.nodes)
      this.#actors.set(setup.name, { setup, phase: 'absent', life: 0 });
  }

  phase(name: string): Phase {
    return this.#actor(name).phase;
  }

  life(name: string): number {
    return this.#actor(name).life;
  }

  /** Throws where it cannot be: what is dead cannot be killed. */
  change(
    name: string,
    { from, to }: { readonly from: readonly Phase[]; readonly to: Phase },
  ): void {
    const actor = this.#actor(name);
    if (!from.includes(actor.phase))
      throw new Error(`${name} is ${actor.phase}, which cannot become ${to} here`);
    actor.phase = to;
    actor.life += 1;
  }

  setup(node: string): NodeSetup {
    const { setup } = this.#actor(node);
    if (setup === undefined) throw new Error(`${node} is no node`);
    return setup;
  }

  /** Nodes in the order of the file. */
  nodes(phases: readonly Phase[], role?: NodeRole): readonly string[] {
    return [...this.#actors].flatMap(([name, { setup, phase }]) => {
      const isMeant = setup !== undefined && phases.includes(phase);
      return isMeant && (role === undefined || setup.roles.includes(role)) ? [name] : [];
    });
  }

  /** Those that are meant; `all`: that run and have the role. */
  which(which: Which, role: NodeRole): readonly string[] {
    return which === 'all' ? this.nodes(['up'], role) : which;
  }

  hosts(): ReadonlyMap<string, readonly string[]> {
    return this.#hosts;
  }

  /** The first name of a site. */
  hostOf(site: string): string {
    const [host] = this.#hosts.get(site) ?? [];
    if (host === undefined) throw new Error(`there is no site ${site} in this scenario`);
    return host;
  }

  asked(): readonly Asked[] {
    return [...this.#asked.keys()].toSorted().flatMap((key) => this.#asked.get(key) ?? []);
  }

  applied({ kind, metadata, spec }: Manifest): void {
    if (kind === 'Site') {
      const { hosts } = spec as SiteSpec;
      this.#hosts.set(metadata.name, hosts);
      for (const name of hosts) this.#ask({ name, type: 'A' });
    }
    if (kind === 'Zone') this.#askZone(spec as ZoneSpec);
  }

  release(site: string, version: number): Made {
    const made = makeRelease(site, version);
    this.#releases.set(markOf(made), { ...made, version });
    return made;
  }

  /** What a header `b8s-release` means; undefined: nothing that this scenario has published. */
  releaseOf(mark: string | undefined): (Made & { readonly version: number }) | undefined {
    return this.#releases.get(mark ?? '');
  }

  /** Gives all that the next commit holds. */
  staged({ files, removes }: Pick<CommitAction, 'removes'> & { readonly files: Files }): Files {
    const isGone = (path: string): boolean =>
      removes.some((each) => path === each || path.startsWith(`${each}/`));
    for (const path of [...this.#tree.keys()].filter(isGone)) this.#tree.delete(path);
    for (const [path, content] of files) this.#tree.set(path, content);
    return this.#tree;
  }

  committed(message: string, commit: string): void {
    if (this.#commits.has(message)) throw new Error(`there is a commit "${message}" already`);
    this.#commits.set(message, commit);
  }

  /** By message. */
  commits(): ReadonlyMap<string, string> {
    return this.#commits;
  }

  #askZone({ origin, records = [] }: Partial<ZoneSpec>): void {
    if (origin === undefined) return;
    this.#ask({ name: origin, type: 'NS' });
    for (const { setup } of this.#actors.values())
      if (setup?.roles.includes('nameserver') === true)
        this.#ask({ name: `${setup.name}.ns.${origin}`, type: 'A' });
    for (const { name, type } of records) {
      const known = RECORD_TYPES.find((each) => each === type);
      const full = name === '@' ? origin : `${name}.${origin}`;
      if (known !== undefined) this.#ask({ name: full, type: known });
    }
  }

  #ask(asked: Asked): void {
    this.#asked.set(`${asked.name} ${asked.type}`, asked);
  }

  #actor(name: string): Actor {
    const actor = this.#actors.get(name);
    if (actor === undefined) throw new Error(`there is no ${name} in this scenario`);
    return actor;
  }
}
