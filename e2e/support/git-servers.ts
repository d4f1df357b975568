import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './ending.ts';

/** How one gets into a Git server of the tests, and how one does not. */
export interface GitServer {
  /** Of a repository in its folder. */
  url(name: string): string;
  /** The values of a Secret; empty: none is needed. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly wrong: readonly WrongCredentials[];
  end(): void;
}

export interface WrongCredentials {
  readonly when: string;
  readonly credentials: Readonly<Record<string, string>>;
  /** The reason of Ready, and its message. */
  readonly says: RegExp;
}

export interface Place {
  /** For its configuration and keys. */
  readonly folder: string;
  /** Where the repositories are. */
  readonly repositories: string;
  readonly address: string;
  readonly port: number;
}

/** Says which program is missing; undefined: all are there. */
export function missingFor(kind: 'https' | 'ssh' | 'git'): string | undefined {
  const wanted = {
    https: ['/usr/sbin/lighttpd', '/usr/lib/lighttpd/mod_openssl.so', GIT_BACKEND],
    ssh: ['/usr/sbin/sshd'],
    git: ['/usr/lib/git-core/git-daemon'],
  };
  return wanted[kind].find((file) => !existsSync(file));
}

const GIT_BACKEND = '/usr/lib/git-core/git-http-backend';

/** Git's own daemon. */
export function gitDaemon({ repositories, address, port }: Place): GitServer {
  const how = ['--reuseaddr', '--export-all', `--base-path=${repositories}`];
  const args = [...how, `--listen=${address}`, `--port=${port}`, repositories];
  return {
    url: (name) => `git://${address}:${port}/${name}`,
    credentials: {},
    wrong: [],
    end: started('/usr/lib/git-core/git-daemon', args),
  };
}

const TOKEN = 'hunter2-token';

/** `git http-backend` behind lighttpd, for whoever shows the token, with TLS by a CA of its own. */
export function gitOverHttps({ folder, repositories, address, port }: Place): GitServer {
  const ca = authority(folder, 'ca');
  const other = authority(folder, 'other');
  certificate(folder, address);
  writeFileSync(join(folder, 'users'), `git:${TOKEN}\n`);
  const config = `
server.modules = ("mod_openssl", "mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi")
server.document-root = "${folder}"
server.upload-dirs = ("${folder}")
server.errorlog = "${folder}/lighttpd.log"
server.bind = "${address}"
server.port = ${port}
ssl.engine = "enable"
ssl.pemfile = "${folder}/server.pem"
ssl.privkey = "${folder}/server.key"
auth.backend = "plain"
auth.backend.plain.userfile = "${folder}/users"
auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
alias.url = ("/git" => "${GIT_BACKEND}")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "${repositories}", "GIT_HTTP_EXPORT_ALL" => "1")
cgi.assign = ("" => "")
`;
  writeFileSync(join(folder, 'lighttpd.conf'), config);
  const good = { token: TOKEN, caBundle: ca };
  const denied = /^FetchAccessDenied: .*see to the credentials in the Secret/;
  return {
    url: (name) => `https://${address}:${port}/git/${name}`,
    credentials: good,
    wrong: [
      { when: 'without a token', credentials: { caBundle: ca }, says: denied },
      { when: 'with another token', credentials: { ...good, token: 'wrong' }, says: denied },
      { when: 'with another user', credentials: { ...good, username: 'eve' }, says: denied },
      {
        when: 'without its CA',
        credentials: { token: TOKEN },
        says: /^FetchUnreachable: .*certificate/,
      },
      {
        when: 'with another CA',
        credentials: { ...good, caBundle: other },
        says: /^FetchUnreachable: .*certificate/,
      },
    ],
    end: started('/usr/sbin/lighttpd', ['-D', '-f', join(folder, 'lighttpd.conf')]),
  };
}

/** A real sshd with a key of its own, for one key of the user who runs the tests. */
export function gitOverSsh({ folder, repositories, address, port }: Place): GitServer {
  const key = sshKey(folder, 'key');
  const other = sshKey(folder, 'other-key');
  const host = sshKey(folder, 'host-key');
  const allowed = join(folder, 'authorized-keys');
  writeFileSync(allowed, key.public);
  const config = `
Port ${port}
ListenAddress ${address}
HostKey ${folder}/host-key
AuthorizedKeysFile ${allowed}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
`;
  writeFileSync(join(folder, 'sshd.conf'), config);
  // The service makes it when it starts; it is for processes without rights.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const known = (line: string): string => `[${address}]:${port} ${line}`;
  const good = { sshKey: key.private, knownHosts: known(host.public) };
  return {
    url: (name) => `ssh://${userInfo().username}@${address}:${port}${repositories}/${name}`,
    credentials: good,
    wrong: [
      {
        when: 'with another key',
        credentials: { ...good, sshKey: other.private },
        says: /^FetchAccessDenied: .*see to the credentials in the Secret/,
      },
      {
        when: 'with what is no key',
        credentials: { ...good, sshKey: 'nonsense' },
        says: /^FetchAccessDenied: .*see to the credentials in the Secret/,
      },
      {
        when: 'at a host that has another key',
        credentials: { ...good, knownHosts: known(other.public) },
        says: /^FetchAccessDenied: .*its host key is not the one in knownHosts/,
      },
      {
        when: 'at a host that is not known',
        credentials: { ...good, knownHosts: `elsewhere ${host.public}` },
        says: /^FetchAccessDenied: .*its host key is not the one in knownHosts/,
      },
      {
        when: 'without known hosts',
        credentials: { sshKey: key.private },
        says: /^SecretMissing: .*needs sshKey and knownHosts/,
      },
    ],
    end: started('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd.conf')]),
  };
}

function sshKey(
  folder: string,
  name: string,
): { readonly private: string; readonly public: string } {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
  return { private: readFileSync(file, 'utf8'), public: readFileSync(`${file}.pub`, 'utf8') };
}

/** A CA that trusts itself; its certificate (PEM). */
function authority(folder: string, name: string): string {
  const file = join(folder, name);
  const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const to = [
    '-keyout',
    `${file}.key`,
    '-out',
    `${file}.pem`,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  ];
  execFileSync('openssl', ['req', ...how, ...to], { stdio: 'pipe' });
  return readFileSync(`${file}.pem`, 'utf8');
}

/** For an address, signed by the CA of that folder. */
function certificate(folder: string, address: string): void {
  const [key, out] = [join(folder, 'server.key'), join(folder, 'server.pem')];
  const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const by = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key')];
  const what = ['-subj', '/CN=git', '-addext', `subjectAltName=IP:${address}`, '-days', '2'];
  const args = [...how, ...by, ...what, '-addext', 'basicConstraints=CA:FALSE'];
  execFileSync('openssl', ['req', ...args, '-keyout', key, '-out', out], { stdio: 'pipe' });
  chmodSync(key, 0o600);
}

/** Ends with what it has started; also when the tests are ended early. */
function started(program: string, args: readonly string[]): () => void {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1' };
  const child: ChildProcess = spawn(program, args, { detached: true, stdio: 'ignore', env });
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  };
  const forget = atEnd(kill);
  return () => {
    forget();
    kill();
  };
}
