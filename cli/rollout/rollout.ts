import { condition, type Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import { type Api, ApiError, type ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { waitFor } from '../objects/watching.ts';
import { quotedName } from '../render/output.ts';

/** How far a site's wanted release is. */
export type RolloutState =
  | { readonly kind: 'done'; readonly release: string }
  /** It goes no further unless a person does something. */
  | { readonly kind: 'stopped'; readonly why: string }
  | { readonly kind: 'waiting'; readonly why: string };

/** Judges by status alone; a status of an older generation says nothing about this one. */
export function rolloutState(site: Site): RolloutState {
  const wanted = site.spec.content?.release;
  const { status } = site;
  if (wanted === undefined) return { kind: 'waiting', why: 'it has no release yet' };
  const ready = condition(site, 'Ready');
  const observed = ready?.observedGeneration ?? status?.observedGeneration;
  if (observed !== undefined && observed < site.metadata.generation) {
    return { kind: 'waiting', why: 'dom has not looked at the change yet' };
  }
  const notReady = ready?.message ?? 'not ready yet';
  if (status?.release !== wanted) return unservedState(site, notReady);
  if (ready?.status === 'True') return { kind: 'done', release: wanted };
  return { kind: 'waiting', why: notReady };
}

function unservedState({ spec, status }: Site, notReady: string): RolloutState {
  const { rollout } = status ?? {};
  if (rollout?.release !== spec.content?.release || rollout === undefined)
    return { kind: 'waiting', why: notReady };
  const content = status?.conditions?.find(({ type }) => type === 'ContentReady');
  const { phase, verified, switched = 0, total } = rollout;
  switch (phase) {
    case 'undone':
    case 'halted':
      return { kind: 'stopped', why: content?.message ?? notReady };
    case 'paused':
      return { kind: 'waiting', why: content?.message ?? notReady };
    case 'rolling':
      return { kind: 'waiting', why: `served on ${switched}/${total} nodes` };
    case 'verifying':
    case 'done':
    case undefined:
      break;
  }
  // Who is waited for, where a node says why.
  const waiting = content?.message?.split('; ').slice(1).join('; ') ?? '';
  const troubled = waiting.includes('(') ? `; ${waiting}` : '';
  const why = total > 0 ? `verified on ${verified}/${total} nodes${troubled}` : notReady;
  return { kind: 'waiting', why };
}

/** What a release is to a site by now, in a word or two; empty: one that can be gone back to. */
export function releaseStanding(
  { spec, status }: Site,
  release: string,
  releases: ReadonlySet<string>,
): string {
  const { rollout, ahead = [] } = status ?? {};
  const nodes = ahead.find((each) => each.release === release)?.nodes.length ?? 0;
  const others = ahead.reduce((sum, each) => sum + each.nodes.length, 0);
  if (nodes > 0) return `serving on ${nodes}`;
  if (status?.release === release) return others > 0 ? 'serving on the rest' : 'serving';
  const isRolled = rollout?.release === release && spec.content?.release === release;
  if (isRolled) return rollout.phase ?? 'verifying';
  return releases.has(release) ? '' : 'gone';
}

/** Tells each step of a rollout until the site serves what it should. */
export async function waitForRollout(
  api: Api,
  reference: ObjectReference,
  timeoutMs: number,
  cli: Cli,
): Promise<void> {
  let told = '';
  const name = quotedName('Site', reference.name).replace(/^sites/, 'site');
  const look = (object: Resource | undefined): RolloutState => {
    if (object === undefined) {
      throw new ApiError('NotFound', `${quotedName('Site', reference.name)} not found`);
    }
    return rolloutState(object as Site);
  };
  const isDone = (object: Resource | undefined) => {
    const state = look(object);
    const text =
      state.kind === 'done'
        ? `${name} successfully rolled out: ${state.release}\n`
        : `Waiting for ${name}: ${state.why}\n`;
    if (state.kind === 'stopped') throw new CommandError(`error: ${name}: ${state.why}`);
    if (text !== told) cli.terminal.out(text);
    told = text;
    return state.kind === 'done';
  };
  const waited = await waitFor(api, reference, isDone, { ...cli, timeoutMs });
  if (waited.kind === 'timeout') {
    throw new CommandError(`error: timed out waiting for the rollout of ${name}`);
  }
}
