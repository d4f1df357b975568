import { condition, type Resource } from '../api/object.ts';
import type { Site } from '../api/site.ts';
import { type Api, ApiError, type ObjectReference } from '../runtime/api-client.ts';
import { type Cli, CommandError } from './cli.ts';
import { quotedName } from './render/output.ts';
import { waitFor } from './watching.ts';

/** How far a site's wanted release is. */
export type RolloutState =
  | { readonly kind: 'done'; readonly release: string }
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
  const { rollout } = status ?? {};
  const notReady = ready?.message ?? 'not ready yet';
  if (status?.release !== wanted) {
    const hasBegun = rollout?.release === wanted && rollout.total > 0;
    const why = hasBegun ? `verified on ${rollout.verified}/${rollout.total} nodes` : notReady;
    return { kind: 'waiting', why };
  }
  if (ready?.status === 'True') return { kind: 'done', release: wanted };
  return { kind: 'waiting', why: notReady };
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
    if (text !== told) cli.terminal.out(text);
    told = text;
    return state.kind === 'done';
  };
  const waited = await waitFor(api, reference, isDone, { ...cli, timeoutMs });
  if (waited.kind === 'timeout') {
    throw new CommandError(`error: timed out waiting for the rollout of ${name}`);
  }
}
