import type { Repository } from '../../api/repository.ts';
import type { HookCall } from './verify.ts';

/** What a genuine call says. */
export type HookNews =
  | { readonly kind: 'ping' }
  /** `ref`: `refs/heads/main`. */
  | { readonly kind: 'push'; readonly ref: string; readonly defaultBranch: string | undefined }
  | { readonly kind: 'other'; readonly event: string }
  /** It is not what it says it is. */
  | { readonly kind: 'unreadable' };

const EVENT_SHOWN_MAX = 40;

/** Reads a call of GitHub, GitLab, Gitea or Forgejo. */
export function newsOf({ header, body }: HookCall): HookNews {
  const event =
    header('x-github-event') ??
    header('x-forgejo-event') ??
    header('x-gitea-event') ??
    header('x-gitlab-event') ??
    '';
  if (event === 'ping') return { kind: 'ping' };
  if (!PUSHES.has(event))
    return { kind: 'other', event: event.replace(/[^\w ]/g, '?').slice(0, EVENT_SHOWN_MAX) };
  const { ref, repository, project } = membersOf(parsed(body));
  if (typeof ref !== 'string') return { kind: 'unreadable' };
  const branch =
    membersOf(project)['default_branch'] ?? membersOf(repository)['default_branch'] ?? undefined;
  return { kind: 'push', ref, defaultBranch: typeof branch === 'string' ? branch : undefined };
}

/** Tags are pushed too; GitLab has a word of its own for that. */
const PUSHES: ReadonlySet<string> = new Set(['push', 'Push Hook', 'Tag Push Hook']);

/** Whether a push there may mean another commit for a Repository that follows this. */
export function concerns(
  { ref, defaultBranch }: HookNews & { readonly kind: 'push' },
  followed: Repository['spec']['ref'],
): boolean {
  if (followed?.branch !== undefined) return ref === `refs/heads/${followed.branch}`;
  if (followed?.tag !== undefined) return ref === `refs/tags/${followed.tag}`;
  if (followed?.semver !== undefined) return ref.startsWith('refs/tags/');
  if (followed?.commit !== undefined) return false;
  return defaultBranch === undefined
    ? ref.startsWith('refs/heads/')
    : ref === `refs/heads/${defaultBranch}`;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    return undefined;
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
