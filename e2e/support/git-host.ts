import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was taken of a commit. */
export interface TakenStatus {
  readonly provider: 'github' | 'gitea' | 'gitlab';
  readonly project: string;
  readonly commit: string;
  readonly state: string;
  readonly context: string;
  readonly description: string;
}

export interface GitHost {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  readonly taken: readonly TakenStatus[];
  /** Calls that were answered otherwise than by 201, as `status why`. */
  readonly refused: readonly string[];
  close(): void;
}

interface Rules {
  readonly path: RegExp;
  /** Whether it shows the token as this host wants it. */
  readonly shows: (request: IncomingMessage, token: string) => boolean;
  readonly states: readonly string[];
  readonly descriptionMax: number;
}

/** From docs.github.com/rest/commits/statuses, docs.gitlab.com/api/commits, and Gitea's swagger. */
const RULES: Readonly<Record<TakenStatus['provider'], Rules>> = {
  github: {
    path: /^\/api\/v3\/repos\/([\w.-]+\/[\w.-]+)\/statuses\/([0-9a-f]{40})$/,
    shows: ({ headers }, token) => headers.authorization === `Bearer ${token}`,
    states: ['error', 'failure', 'pending', 'success'],
    descriptionMax: 140,
  },
  gitea: {
    path: /^\/api\/v1\/repos\/([\w.-]+\/[\w.-]+)\/statuses\/([0-9a-f]{40})$/,
    shows: ({ headers }, token) => headers.authorization === `token ${token}`,
    states: ['pending', 'success', 'error', 'failure', 'warning'],
    descriptionMax: Infinity,
  },
  gitlab: {
    path: /^\/api\/v4\/projects\/([\w.%-]+)\/statuses\/([0-9a-f]{40})$/,
    shows: ({ headers }, token) => headers['private-token'] === token,
    states: ['pending', 'running', 'success', 'failed', 'canceled', 'skipped'],
    descriptionMax: 255,
  },
};

/** Takes commit statuses as three hosts do, and refuses what they would refuse. */
export async function openGitHost(options: {
  readonly address: string;
  readonly token: string;
  /** So many calls are answered with 502 first. */
  readonly failures: number;
}): Promise<GitHost> {
  const taken: TakenStatus[] = [];
  const refused: string[] = [];
  let failures = options.failures;
  const answer = (request: IncomingMessage, body: string): readonly [number, string] => {
    if (failures > 0) {
      failures -= 1;
      return [502, 'Bad Gateway'];
    }
    return judge(request, body, { token: options.token, taken });
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += String(piece)));
    request.on('end', () => {
      const [status, message] = answer(request, body);
      if (status !== 201) refused.push(`${status} ${message}`);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, options.address, resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://${options.address}:${port}`, taken, refused, close };
}

function judge(
  request: IncomingMessage,
  body: string,
  { token, taken }: { readonly token: string; readonly taken: TakenStatus[] },
): readonly [number, string] {
  const url = request.url ?? '';
  const found = Object.entries(RULES).find(([, { path }]) => path.test(url));
  if (found === undefined || request.method !== 'POST') return [404, 'Not Found'];
  const [name, { path, shows, states, descriptionMax }] = found;
  const provider = name as TakenStatus['provider'];
  const [, project = '', commit = ''] = path.exec(url) ?? [];
  if (!shows(request, token)) return [401, 'Bad credentials'];
  if ((request.headers['user-agent'] ?? '') === '') return [403, 'make sure to send a User-Agent'];
  const { state, context, description } = JSON.parse(body) as Partial<TakenStatus>;
  if (state === undefined || !states.includes(state)) return [422, `no state ${state}`];
  if (context === undefined || context === '') return [422, 'no context'];
  if (description === undefined || description.length > descriptionMax)
    return [422, 'description is too long (maximum is 140 characters)'];
  const last = taken.findLast((each) => each.commit === commit && each.context === context);
  if (provider === 'gitlab' && last?.state === state)
    return [400, `Cannot transition status via :run from :${state}`];
  const decoded = decodeURIComponent(project);
  taken.push({ provider, project: decoded, commit, state, context, description });
  return [201, 'Created'];
}
