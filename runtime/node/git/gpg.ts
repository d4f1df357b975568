import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from '../../git/git.ts';
import type { OpenPgp, PgpFault, PgpVerdict } from '../../git/signature/verify.ts';
import { runGit } from './run.ts';

/** What gpg is told, however the machine is set up: no agent, no network, no configuration. */
const OPTIONS: readonly string[] = [
  ...['--no-options', '--batch', '--no-tty', '--quiet', '--no-autostart', '--disable-dirmngr'],
  ...['--no-auto-key-retrieve', '--no-auto-key-locate', '--no-auto-check-trustdb'],
  ...['--trust-model', 'always', '--status-fd', '1', '--no-secmem-warning'],
];
/** Of the files that it writes, and of what it says. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const OUTPUT_BYTES_MAX = 1024 * 1024;

interface Place {
  readonly folder: string;
  /** Of the remote. */
  readonly id: string;
  readonly signal: AbortSignal;
}

/**
 * Judges a signature with Debian's gpg, which gets a home of its own for each call: the keys that it
 * is given are all that it knows. Keys that expired or were revoked are told by themselves.
 */
export async function judgeOpenPgp(
  { payload, signature, keys }: Parameters<OpenPgp>[0],
  { folder, id, signal }: Place,
): Promise<PgpVerdict> {
  const home = await mkdtemp(join(folder, `${id}.gpg-`));
  const run = async (args: readonly string[]): Promise<readonly string[]> => {
    const env = { PATH: '/usr/bin:/bin', HOME: home, GNUPGHOME: home, LC_ALL: 'C' };
    const call = { program: 'gpg', env, signal } as const;
    const printed = await runGit({
      ...{ ...call, args: [...OPTIONS, ...args], fileBytesMax: FILE_BYTES_MAX },
      ...{ outputBytesMax: OUTPUT_BYTES_MAX, failing: 'prints' as const },
    });
    const lines = printed.toString('latin1').split('\n');
    return lines.filter((line) => line.startsWith(STATUS)).map((line) => line.slice(STATUS.length));
  };
  try {
    const owners = new Map<string, readonly number[]>();
    for (const [index, armor] of keys.entries()) {
      const path = join(home, 'key.asc');
      await writeFile(path, armor);
      const said = await run(['--import', path]);
      if (said.length === 0)
        throw new GitError('Failed', "gpg says nothing: install gnupg on dom's machine");
      for (const line of said) {
        const imported = /^IMPORT_OK \d+ ([0-9A-F]{40})$/.exec(line)?.[1];
        if (imported !== undefined) owners.set(imported, [...(owners.get(imported) ?? []), index]);
      }
    }
    const [signed, detached] = [join(home, 'payload'), join(home, 'signature.asc')];
    await writeFile(signed, payload);
    await writeFile(detached, signature);
    return verdictOf(await run(['--verify', detached, signed]), owners);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

const STATUS = '[GNUPG:] ';

/** By GnuPG's doc/DETAILS, under "Format of the --status-fd output". */
function verdictOf(
  lines: readonly string[],
  owners: ReadonlyMap<string, readonly number[]>,
): PgpVerdict {
  const words = lines.map((line) => line.split(' '));
  const of = (name: string): readonly string[] | undefined =>
    words.find(([first]) => first === name);
  const count = words.filter(([first]) => first === 'NEWSIG').length;
  const shown = of('VALIDSIG')?.[1] ?? keyIn(words);
  if (shown === undefined) return { kind: 'unusable', key: '' };
  if (count > 1) return { kind: 'unusable', key: shown };
  const fault = FAULTS.find(([name]) => of(name) !== undefined);
  if (fault !== undefined) return { kind: fault[1], key: shown };
  const [, key = '', , , , , , , hash = '', kind = '', primary = key] = of('VALIDSIG') ?? [];
  if (of('GOODSIG') === undefined || key === '') return { kind: 'unknown', key: shown };
  const indexes = owners.get(primary);
  if (indexes === undefined) return { kind: 'unknown', key: primary };
  // RFC 9580 §5.2.1: of bytes, or of text.
  const isUsable = !WEAK_HASHES.has(hash) && (kind === '00' || kind === '01');
  return isUsable ? { kind: 'good', key: primary, indexes } : { kind: 'unusable', key: primary };
}

const FAULTS: readonly (readonly [string, PgpFault])[] = [
  ['BADSIG', 'bad'],
  ['REVKEYSIG', 'revoked'],
  ['EXPKEYSIG', 'expired'],
  ['EXPSIG', 'expired'],
  ['NO_PUBKEY', 'unknown'],
  ['ERRSIG', 'unusable'],
];

/** MD5, SHA-1 and RIPEMD-160 (RFC 9580 §9.5). */
const WEAK_HASHES: ReadonlySet<string> = new Set(['1', '2', '3']);

/** The fingerprint or the id that gpg names in what it says of the signature. */
function keyIn(words: readonly (readonly string[])[]): string | undefined {
  const said = ['BADSIG', 'ERRSIG', 'NO_PUBKEY', 'EXPSIG', 'EXPKEYSIG', 'REVKEYSIG', 'GOODSIG'];
  const line = words.find(([first = '']) => said.includes(first));
  return line?.[1] !== undefined && /^[0-9A-F]{16,64}$/.test(line[1]) ? line[1] : undefined;
}
