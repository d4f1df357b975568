import { GitError, type GitFailure } from '../../git/git.ts';
import { GitComplaint } from './run.ts';

/** What was being done, for the message: `fetch 1234567 from https://…`. */
export function gitFailure(error: unknown, doing: string): unknown {
  if (!(error instanceof GitComplaint)) return error;
  const said = lastWords(error.message);
  const known = KNOWN.find(({ when }) => when.test(error.message));
  const mend = known?.mend === undefined ? '' : ` (${known.mend})`;
  return new GitError(known?.reason ?? 'Failed', `${doing}: ${said}${mend}`, { cause: error });
}

interface Known {
  readonly when: RegExp;
  readonly reason: GitFailure;
  readonly mend?: string;
}

/** What git and its helpers say, in the C locale; the first that fits. */
const KNOWN: readonly Known[] = [
  { when: /git: not found/, reason: 'Failed', mend: "install git on dom's machine" },
  {
    when: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    reason: 'AccessDenied',
    mend: 'its host key is not the one in knownHosts of the Secret',
  },
  {
    when: /Authentication failed|could not read (Username|Password)|Permission denied \(|terminal prompts disabled|returned error: 40[13]/,
    reason: 'AccessDenied',
    mend: 'see to the credentials in the Secret that secretRef names',
  },
  {
    when: /unable to update url base from redirection|redirect|returned error: 30\d/i,
    reason: 'Failed',
    mend: 'the URL leads elsewhere: write the one that it leads to',
  },
  {
    when: /not our ref|unadvertised object|couldn't find remote ref|bad object/i,
    reason: 'RefNotFound',
  },
  {
    when: /detected dubious ownership/,
    reason: 'NotAllowed',
    mend: "a repository on this machine must belong to dom's own user",
  },
  {
    when: /not found|does not appear to be a git repository|does not exist|access denied or repository not exported/i,
    reason: 'Unreachable',
    mend: 'is the URL right, and may it be read with these credentials?',
  },
  {
    when: /Could not resolve host|unable to connect|Connection (refused|reset|timed out)|timed out|unable to access|early EOF|hung up|unable to look up|Operation too slow|SSL|certificate/i,
    reason: 'Unreachable',
  },
];

const WORDS_MAX = 300;

/** The line that says why; what comes before is progress and advice. */
function lastWords(complaint: string): string {
  const lines = complaint.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const fatal = lines.find((line) => /^(fatal|error|remote: fatal|fatal: remote error)/.test(line));
  const line = (fatal ?? lines.at(-1) ?? '').replace(/^(fatal|error): /, '');
  return printable(line).slice(0, WORDS_MAX);
}

/** What a remote says may be anything. */
function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}
