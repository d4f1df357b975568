import type { Repository } from '../../api/repository.ts';
import type { Posted, Posting } from '../../runtime/poster.ts';
import type { CommitState } from '../../runtime/telling-records.ts';
import { VERSION } from '../../runtime/version.ts';

type CommitStatusSpec = NonNullable<Repository['spec']['commitStatus']>;

/** What to tell of a commit. */
export interface CommitNews {
  /** 40 hex digits. */
  readonly commit: string;
  readonly state: CommitState;
  readonly description: string;
}

export interface HostAccess {
  readonly spec: CommitStatusSpec;
  /** `spec.url` of the Repository. */
  readonly url: string;
  readonly context: string;
  readonly token: string;
  readonly caBundle: string | undefined;
}

/**
 * The call that tells it:
 *
 * - GitHub: docs.github.com/rest/commits/statuses, "Create a commit status";
 * - GitLab: docs.gitlab.com/api/commits, "Set commit pipeline status";
 * - Gitea and Forgejo: their /api/swagger, `repoCreateStatus`.
 *
 * Undefined: it cannot be seen what the host calls the repository.
 */
export function callOf(access: HostAccess, news: CommitNews): Posting | undefined {
  const { spec, url, context, token, caBundle } = access;
  const place = placeOf(url);
  const project = spec.project ?? place?.project;
  const base = (spec.url ?? (place && apiOf(spec.provider, place.host)))?.replace(/\/+$/, '');
  if (project === undefined || base === undefined) return undefined;
  const { commit, state } = news;
  const { states, descriptionMax } = HOSTS[spec.provider];
  const description = cut(news.description, descriptionMax);
  const body = JSON.stringify({ state: states[state], context, description });
  const common = {
    ...{ accept: 'application/json', 'content-type': 'application/json' },
    'user-agent': `b8s/${VERSION}`,
  };
  switch (spec.provider) {
    case 'github':
      return {
        ...{ url: `${base}/repos/${project}/statuses/${commit}`, body, caBundle },
        headers: {
          ...common,
          ...{ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
          authorization: `Bearer ${token}`,
        },
      };
    case 'gitea':
      return {
        ...{ url: `${base}/repos/${project}/statuses/${commit}`, body, caBundle },
        headers: { ...common, authorization: `token ${token}` },
      };
    case 'gitlab':
      return {
        url: `${base}/projects/${encodeURIComponent(project)}/statuses/${commit}`,
        ...{ body, caBundle, headers: { ...common, 'private-token': token } },
      };
  }
}

/** Whom it is told, `host:port`; empty: that cannot be seen. */
export function hostOf({ spec, url }: HostAccess): string {
  const base = spec.url ?? url;
  return URL.canParse(base) ? new URL(base).host : '';
}

/** Whether the host has taken it, or holds it already. */
export function isTaken({ provider }: CommitStatusSpec, { status, text }: Posted): boolean {
  if (status >= 200 && status < 300) return true;
  // It says so of a state that the commit is in.
  return provider === 'gitlab' && status === 400 && text.includes('Cannot transition status');
}

interface Host {
  readonly states: Readonly<Record<CommitState, string>>;
  readonly descriptionMax: number;
}

const HOSTS: Readonly<Record<CommitStatusSpec['provider'], Host>> = {
  github: {
    states: { pending: 'pending', success: 'success', failure: 'failure', superseded: 'error' },
    descriptionMax: 140,
  },
  gitea: {
    states: { pending: 'pending', success: 'success', failure: 'failure', superseded: 'error' },
    descriptionMax: 140,
  },
  gitlab: {
    states: { pending: 'running', success: 'success', failure: 'failed', superseded: 'canceled' },
    descriptionMax: 255,
  },
};

function apiOf(provider: CommitStatusSpec['provider'], host: string): string {
  switch (provider) {
    case 'github':
      return host === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3`;
    case 'gitea':
      return `https://${host}/api/v1`;
    case 'gitlab':
      return `https://${host}/api/v4`;
  }
}

/** Of an address as `https://host/team/infra.git`. The port of ssh is not that of the API. */
function placeOf(url: string): { readonly host: string; readonly project: string } | undefined {
  const { protocol, host, hostname, pathname } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'ssh:') return undefined;
  const project = pathname.replace(/^\/+/, '').replace(/(?:\.git)?\/*$/, '');
  if (!project.includes('/')) return undefined;
  return { host: protocol === 'https:' ? host : hostname, project };
}

function cut(text: string, charactersMax: number): string {
  const characters = [...text.replaceAll(/\s+/g, ' ')];
  if (characters.length <= charactersMax) return characters.join('');
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}
