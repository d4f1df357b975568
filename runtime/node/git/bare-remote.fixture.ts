import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeFile, type FakeSign, signedCommit } from '../../git/fake/remote.ts';

/** A bare repository on the disk, for a test to push to. */
export class BareRemote {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', folder]);
  }

  /** As `FakeRemote.commit`, written by `git fast-import`, which needs no files. */
  async commit(
    files: Readonly<Record<string, FakeFile>>,
    {
      branch = 'main',
      subject = 'A commit',
      sign,
    }: { branch?: string; subject?: string; sign?: FakeSign } = {},
  ): Promise<string> {
    const ref = `refs/heads/${branch}`;
    const parent = this.#commitOf(ref);
    const from = parent === undefined ? '' : `from ${parent}\n`;
    const who = `committer ${ADA}`;
    const head = `commit ${ref}\n${who}\n${data(Buffer.from(subject)).toString()}${from}deleteall\n`;
    const entries = Object.entries(files).map(([path, file]) => entry(path, file));
    const parts = [Buffer.from(head), ...entries, Buffer.from('\ndone\n')];
    await feed(['--git-dir', this.folder, 'fast-import', '--quiet', '--done', '--force'], parts);
    if (sign !== undefined) this.#signCommit(ref, { subject, sign });
    return this.#commitOf(ref) ?? '';
  }

  /** Annotated, so that it is an object of its own; `inside`: the name that it says itself. */
  tag(
    name: string,
    commit: string,
    { sign, inside = name }: { readonly sign?: FakeSign; readonly inside?: string } = {},
  ): void {
    const head = `object ${commit}\ntype commit\ntag ${inside}\ntagger ${ADA}\n`;
    const payload = `${head}\n${name}\n`;
    const raw = `${payload}${sign?.(Buffer.from(payload)) ?? ''}`;
    const id = this.#git(['hash-object', '-t', 'tag', '-w', '--stdin'], raw).trim();
    this.#git(['update-ref', `refs/tags/${name}`, id]);
  }

  /** The commit at the end of a branch, once more, with a signature. */
  #signCommit(ref: string, { subject, sign }: { subject: string; sign: FakeSign }): void {
    const raw = this.#git(['cat-file', 'commit', ref]);
    const headers = raw.slice(0, raw.indexOf('\n\n') + 1);
    const signed = signedCommit(headers, { subject, sign });
    const id = this.#git(['hash-object', '-t', 'commit', '-w', '--stdin'], signed).trim();
    this.#git(['update-ref', ref, id]);
  }

  #git(args: readonly string[], input: string | Uint8Array = ''): string {
    const options = { env: ENV, encoding: 'utf8', input } as const;
    return execFileSync('git', ['--git-dir', this.folder, ...args], options);
  }

  #commitOf(ref: string): string | undefined {
    const args = ['--git-dir', this.folder, 'for-each-ref', '--format=%(objectname)', ref];
    const printed = git(args).trim();
    return printed === '' ? undefined : printed;
  }
}

const ADA = 'Ada <ada@example.com> 1700000000 +0000';

/** An empty folder for a test, below the system's. */
export function testFolder(): string {
  return mkdtempSync(join(tmpdir(), 'b8s-git-'));
}

const ENV = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

function git(args: readonly string[]): string {
  return execFileSync('git', args, { env: ENV, encoding: 'utf8' });
}

function feed(args: readonly string[], parts: readonly Uint8Array[]): Promise<void> {
  const child = spawn('git', args, { env: ENV, stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(Buffer.concat(parts));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`git: ${code}`))));
  });
}

function entry(path: string, file: FakeFile): Buffer {
  const quoted = JSON.stringify(path);
  if (typeof file === 'object' && 'submodule' in file)
    return Buffer.from(`M 160000 ${file.submodule} ${quoted}\n`);
  const isLink = typeof file === 'object' && 'link' in file;
  const bytes = isLink ? Buffer.from(file.link) : Buffer.from(file);
  const mode = isLink ? '120000' : '100644';
  return Buffer.concat([Buffer.from(`M ${mode} inline ${quoted}\n`), data(bytes)]);
}

function data(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}
