import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError, type GitRemote } from '../../git/git.ts';

/** What git is told before its own words, and the environment that it sees. */
export interface Access {
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Which URLs dom speaks to. */
export interface AccessRules {
  /** `file:` shows whatever dom can read on its own machine. */
  readonly fileUrls: 'allowed' | 'refused';
}

/**
 * What every git of ours is told, however the machine is set up: nothing that a repository or a
 * person's configuration could make it run, ask, follow or keep.
 */
const OPTIONS: readonly string[] = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.attributesFile=/dev/null'],
  // Blobs above this are streamed to the disk, not held.
  'core.bigFileThreshold=8m',
  ...['credential.helper=', 'gc.auto=0', 'maintenance.auto=false', 'pack.threads=1'],
  // One pack for one fetch: so the limit of a file is the limit of the fetch.
  ...['fetch.unpackLimit=1', 'fetch.writeCommitGraph=false', 'fetch.recurseSubmodules=false'],
  // Another host must not be shown what this one is told.
  ...['http.followRedirects=false', 'http.lowSpeedLimit=1000', 'http.lowSpeedTime=30'],
  ...['protocol.version=2', 'transfer.bundleURI=false', 'advice.detachedHead=false'],
].flatMap((setting) => ['-c', setting]);

const ENV: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_OPTIONAL_LOCKS: '0',
};

/** How git reads what is here, and asks nobody. */
export const localAccess: Access = {
  options: OPTIONS,
  env: { ...ENV, GIT_ALLOW_PROTOCOL: '' },
};

/**
 * How git gets at a remote, for as long as `work` takes: keys lie in a folder that only dom's user
 * can read, tokens in the environment, neither on a command line.
 */
export async function withAccess<Result>(
  remote: GitRemote,
  { folder, rules }: { readonly folder: string; readonly rules: AccessRules },
  work: (access: Access) => Promise<Result>,
): Promise<Result> {
  const scheme = /^([a-z]+):\/\//.exec(remote.url)?.[1] ?? '';
  if (scheme === 'file' && rules.fileUrls === 'refused')
    throw new GitError(
      'NotAllowed',
      'this dom reads no file: URLs; start it with --allow-file-repositories',
    );
  if (!['https', 'http', 'ssh', 'git', 'file'].includes(scheme))
    throw new GitError('NotAllowed', `"${scheme}:" is no protocol that dom speaks`);
  const keys = join(folder, `${remote.id}.access`);
  await rm(keys, { recursive: true, force: true });
  await mkdir(keys, { recursive: true, mode: 0o700 });
  try {
    const settings = await settingsFor(remote, scheme, keys);
    const numbered = settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key] as const,
      [`GIT_CONFIG_VALUE_${index}`, value] as const,
    ]);
    return await work({
      options: OPTIONS,
      env: {
        ...ENV,
        // A remote cannot send git on to another protocol.
        GIT_ALLOW_PROTOCOL: scheme,
        GIT_CONFIG_COUNT: String(settings.length),
        ...Object.fromEntries(numbered),
      },
    });
  } finally {
    await rm(keys, { recursive: true, force: true });
  }
}

type Setting = readonly [key: string, value: string];

async function settingsFor(
  { credentials }: GitRemote,
  scheme: string,
  folder: string,
): Promise<readonly Setting[]> {
  const { login, ssh, caBundle } = credentials;
  const isHttp = scheme === 'https' || scheme === 'http';
  const settings: Setting[] = [];
  if (isHttp && login !== undefined) {
    const basic = Buffer.from(`${login.user}:${login.token}`).toString('base64');
    settings.push(['http.extraHeader', `Authorization: Basic ${basic}`]);
  }
  if (isHttp && caBundle !== undefined)
    settings.push(['http.sslCAInfo', await put(folder, 'ca.pem', caBundle)]);
  if (scheme === 'ssh') settings.push(['core.sshCommand', await sshCommand(ssh, folder)]);
  return settings;
}

/** Without known hosts no host is known: one that is not pinned is never spoken to. */
async function sshCommand(ssh: GitRemote['credentials']['ssh'], folder: string): Promise<string> {
  const knownHosts = await put(folder, 'known_hosts', ssh?.knownHosts ?? '');
  const key = await put(folder, 'key', withFinalNewline(ssh?.privateKey ?? ''));
  const options = [
    ...['BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'StrictHostKeyChecking=yes'],
    ...[`UserKnownHostsFile=${knownHosts}`, 'GlobalKnownHostsFile=/dev/null'],
    ...['PasswordAuthentication=no', 'KbdInteractiveAuthentication=no', 'ConnectTimeout=15'],
    ...['ForwardAgent=no', 'ClearAllForwardings=yes', 'PermitLocalCommand=no', 'UpdateHostKeys=no'],
  ];
  const words = ['ssh', '-F', '/dev/null', '-i', key, ...options.flatMap((each) => ['-o', each])];
  return words.map(quoted).join(' ');
}

/** A key without its last line break is no key to ssh. */
function withFinalNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

async function put(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** git gives the command to a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
