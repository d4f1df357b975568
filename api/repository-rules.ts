import { parseDurationMs } from './duration.ts';
import type { Violation } from './kind.ts';
import { objectNameProblem } from './names.ts';
import { publicKeyProblem } from './public-key.ts';
import type { Repository } from './repository.ts';
import { about, aboutField, check, checkEach } from './rules.ts';
import { parseRange } from './semver.ts';
import { targetUrlProblem } from './target-url.ts';

const INTERVAL_MS_MIN = 10_000;
const INTERVAL_MS_MAX = 86_400_000;
const TIMEOUT_MS_MIN = 5_000;
const TIMEOUT_MS_MAX = 3_600_000;

/** What the schema cannot say of a Repository. */
export function repositoryRules({ metadata, spec }: Repository): readonly Violation[] {
  const interval = { min: INTERVAL_MS_MIN, max: INTERVAL_MS_MAX, words: '10s to 1d' };
  const timeout = { min: TIMEOUT_MS_MIN, max: TIMEOUT_MS_MAX, words: '5s to 1h' };
  return [
    ...check(['spec', 'url'], spec.url, gitUrlProblem),
    ...refViolations(spec.ref ?? {}),
    ...check(['spec', 'path'], spec.path, folderProblem),
    ...check(['spec', 'interval'], spec.interval, (each) => durationProblem(each, interval)),
    ...check(['spec', 'timeout'], spec.timeout, (each) => durationProblem(each, timeout)),
    ...checkEach(['spec', 'dependsOn'], spec.dependsOn, (name) =>
      name === metadata.name ? 'is this repository itself; leave it out' : objectNameProblem(name),
    ),
    ...(spec.secretRef === undefined
      ? []
      : check(['spec', 'secretRef'], spec.secretRef, objectNameProblem)),
    ...verifyViolations(spec),
    ...(spec.decryption === undefined
      ? []
      : check(['spec', 'decryption', 'secretRef'], spec.decryption.secretRef, objectNameProblem)),
    ...(spec.webhook === undefined
      ? []
      : check(['spec', 'webhook', 'secretRef'], spec.webhook.secretRef, objectNameProblem)),
    ...(spec.commitStatus === undefined ? [] : commitStatusViolations(spec, spec.commitStatus)),
  ];
}

function commitStatusViolations(
  spec: Repository['spec'],
  commitStatus: NonNullable<Repository['spec']['commitStatus']>,
): readonly Violation[] {
  const path = ['spec', 'commitStatus'];
  const { url, project, secretRef } = commitStatus;
  const hasHost = /^(?:https|ssh):/.test(spec.url);
  return [
    ...(url === undefined ? [] : check([...path, 'url'], url, targetUrlProblem)),
    ...(url === undefined && !hasHost
      ? [aboutField(path, 'needs the url of the API, for spec.url is neither https nor ssh')]
      : []),
    ...(project === undefined ? [] : check([...path, 'project'], project, projectProblem)),
    ...(secretRef === undefined ? [] : check([...path, 'secretRef'], secretRef, objectNameProblem)),
    ...(secretRef === undefined && spec.secretRef === undefined
      ? [aboutField(path, 'needs a secretRef to a Secret with a token')]
      : []),
  ];
}

function projectProblem(project: string): string | undefined {
  const parts = project.split('/');
  const isName = parts.every((part) => /^[\w.-]{1,255}$/.test(part) && !/^\.+$/.test(part));
  return isName && parts.length > 1 ? undefined : 'must be as in its address, e.g. team/infra';
}

/** For the URL of a repository: a scheme that is meant, and nothing secret in it. */
export function gitUrlProblem(url: string): string | undefined {
  const scp = /^([\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(url);
  if (scp !== null)
    return `must be a URL: ssh://${scp[1] ?? ''}${scp[2]}/${scp[3]?.replace(/^\//, '')}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^[a-z]+:\/\//.test(url) || /[\s\u0000-\u001f\u007f]/.test(url))
    return 'must be a URL, e.g. https://git.example.com/site.git';
  if (parsed.password !== '')
    return 'holds a password, which everyone could read; put it into a Secret, and name that in secretRef';
  switch (parsed.protocol) {
    case 'https:':
    case 'git:':
      return parsed.username === '' ? hostProblem(parsed) : 'names a user; leave it out';
    case 'ssh:':
      return hostProblem(parsed);
    case 'file:':
      return parsed.host === '' && parsed.pathname.length > 1
        ? undefined
        : 'must name a folder of this machine, e.g. file:///srv/git/site.git';
    case 'http:':
      if (/^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])$/.test(parsed.hostname)) return undefined;
      return 'must be https: over http anybody on the way could change what is applied';
    default:
      return `"${parsed.protocol}" is no protocol that dom speaks; use https:, ssh: or git:`;
  }
}

function hostProblem({ hostname, pathname }: URL): string | undefined {
  // What begins with "-" would be an option to ssh.
  if (!/^(?:[a-z0-9]|\[)/i.test(hostname))
    return 'has no host; e.g. https://git.example.com/site.git';
  return pathname.length > 1
    ? undefined
    : 'names no repository; e.g. https://git.example.com/site.git';
}

function refViolations(ref: NonNullable<Repository['spec']['ref']>): readonly Violation[] {
  const named = Object.keys(ref);
  if (named.length > 1)
    return [aboutField(['spec', 'ref'], `says ${named.join(' and ')}; keep one of them`)];
  const { branch, tag, semver } = ref;
  return [
    ...(branch === undefined ? [] : check(['spec', 'ref', 'branch'], branch, refNameProblem)),
    ...(tag === undefined ? [] : check(['spec', 'ref', 'tag'], tag, refNameProblem)),
    ...(semver === undefined || parseRange(semver) !== undefined
      ? []
      : [about(['spec', 'ref', 'semver'], semver, 'must be a range of versions, e.g. ^1.2')]),
  ];
}

function verifyViolations({ verify, ref }: Repository['spec']): readonly Violation[] {
  if (verify === undefined) return [];
  const { mode, signers, secretRef } = verify;
  const isByTag = ref?.tag !== undefined || ref?.semver !== undefined;
  return [
    ...(mode === 'HEAD' || isByTag
      ? []
      : [about(['spec', 'verify', 'mode'], mode, 'needs spec.ref to name a tag or semver')]),
    ...(signers.length > 0 || secretRef !== undefined
      ? []
      : [aboutField(['spec', 'verify'], 'names nobody: add signers, or a secretRef with them')]),
    ...(secretRef === undefined
      ? []
      : check(['spec', 'verify', 'secretRef'], secretRef, objectNameProblem)),
    ...signers.flatMap(({ key }, index) => {
      const problem = publicKeyProblem(key);
      // Who writes a private key here by mistake must not see it again in a log.
      const path = ['spec', 'verify', 'signers', index, 'key'];
      return problem === undefined ? [] : [aboutField(path, problem)];
    }),
  ];
}

/** `git check-ref-format`. */
function refNameProblem(name: string): string | undefined {
  if (name.startsWith('refs/')) return `leave "refs/…/" out: ${name.split('/').slice(2).join('/')}`;
  const isName =
    name !== '' &&
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[/-]|[/.]$/.test(name) &&
    name !== '@' &&
    !name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'));
  return isName ? undefined : 'is no name that Git allows, e.g. main';
}

function folderProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'must be relative to the root of the repository, e.g. deploy';
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'has a control character or a backslash';
  return path.split('/').includes('..')
    ? 'leads out of the repository; name a folder in it'
    : undefined;
}

function durationProblem(
  text: string,
  { min, max, words }: { readonly min: number; readonly max: number; readonly words: string },
): string | undefined {
  const ms = parseDurationMs(text);
  if (ms === undefined) return 'must be a duration, e.g. 5m, 90s or 1h';
  return ms < min || ms > max ? `must be ${words}` : undefined;
}
