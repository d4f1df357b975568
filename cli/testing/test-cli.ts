import { posix } from 'node:path';
import { renderConfig, singleConfig } from '../../runtime/client-config.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import type { FileEntry, FileStamp, Files } from '../../runtime/disk/files.ts';
import { type DnsAsked, DnsError } from '../../runtime/dns/client.ts';
import type { Fetcher } from '../../runtime/fetcher.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import type { DnsAccess } from '../cli.ts';
import { run } from '../program.ts';
import { FakeApi } from './fake-api.ts';

/** What one command did. */
export interface Outcome {
  readonly out: string;
  readonly error: string;
  readonly code: number;
}

/** A person with a terminal, some files and a dom, for tests. */
export interface TestCli {
  readonly api: FakeApi;
  readonly clock: VirtualClock;
  /** Path to text; a path that ends in "/" is an empty folder. */
  readonly files: Map<string, string>;
  stdin: string;
  /** Who answers on the Internet; at first, nobody. */
  dns: DnsAccess;
  /** Who answers to https; at first, nobody. */
  web: Fetcher;
  /** The answer to a question; undefined: there is no terminal. */
  answer: 'yes' | 'no' | undefined;
  /** As wide is the terminal; undefined: nobody reads it on one. */
  columns: number | undefined;
  /** What the editor makes of a text. */
  edit: (text: string) => string;
  /** Plugins by path, with what each does with its words. */
  plugins: Map<string, (args: readonly string[]) => number>;
  /** How long the last command that dialled dom was ready to wait for one answer. */
  patienceMs: number | undefined;
  /** Runs a command line to its end; words are parted by spaces unless given as a list. */
  b8sctl(line: string | readonly string[]): Promise<Outcome>;
  /** Starts one that goes on; what it has said so far can be read at any time. */
  start(line: string | readonly string[]): Running;
}

export interface Running {
  out(): string;
  interrupt(): void;
  readonly done: Promise<Outcome>;
}

export const CONFIG_PATH = 'home/config';
export const CACHE_FOLDER = 'home/cache';

export function testCli(): TestCli {
  const clock = virtualClock(Date.parse('2027-01-15T12:00:00Z'));
  const cluster = { server: '127.0.0.1:7443', certificateAuthorityData: 'Q0E=' };
  const user = { clientCertificateData: 'Q1JU', clientKeyData: 'S0VZ' };
  const config = renderConfig(singleConfig('local', cluster, user));
  const cli: TestCli = {
    api: new FakeApi(clock),
    clock,
    files: new Map([[CONFIG_PATH, config]]),
    stdin: '',
    dns: { client: { ask: silence }, resolvers: [] },
    web: { get: () => Promise.reject(new Error('no network is there')) },
    answer: undefined,
    columns: undefined,
    edit: (text) => text,
    patienceMs: undefined,
    plugins: new Map(),
    b8sctl: (line) => cli.start(line).done,
    start(line) {
      const words = typeof line === 'string' ? line.split(' ').filter(Boolean) : line;
      return start(words, cli);
    },
  };
  return cli;
}

async function silence({ server }: DnsAsked): Promise<never> {
  throw new DnsError('timeout', `${server.address}: no answer`);
}

function start(words: readonly string[], cli: TestCli): Running {
  let out = '';
  let error = '';
  const interrupt = new AbortController();
  const terminal = {
    out: (text: string) => void (out += text),
    error: (text: string) => void (error += text),
    ...{ outIsTerminal: cli.columns !== undefined, errorIsTerminal: false, colour: false },
    columns: cli.columns ?? 100,
    canAsk: cli.answer !== undefined,
    async confirm(question: string) {
      error += `${question}\n`;
      return cli.answer === 'yes';
    },
  };
  const done = run(words, {
    terminal,
    clock: cli.clock,
    files: memoryFiles(cli),
    plugins: {
      find: async (name) => (cli.plugins.has(`/bin/${name}`) ? `/bin/${name}` : undefined),
      list: async (prefix) =>
        [...cli.plugins.keys()].filter((path) => path.startsWith(`/bin/${prefix}`)),
      run: async (path, args) => cli.plugins.get(path)?.(args) ?? 127,
    },
    editor: { edit: async (text) => cli.edit(text) },
    signal: interrupt.signal,
    configPath: CONFIG_PATH,
    cacheFolder: CACHE_FOLDER,
    dns: async () => cli.dns,
    web: async () => cli.web,
    registries: () => Promise.reject(new Error('no registry is there')),
    connect: async (_connection, { requestTimeoutMs }) => {
      cli.patienceMs = requestTimeoutMs;
      return cli.api;
    },
  }).then((code) => ({ out, error, code }));
  return { out: () => out, interrupt: () => interrupt.abort(new Error('interrupted')), done };
}

function memoryFiles(cli: TestCli): Files {
  const { files } = cli;
  const isFolder = (path: string) => [...files.keys()].some((key) => key.startsWith(`${path}/`));
  return {
    readText: async (path) => files.get(path),
    writeText: async (path, text) => void files.set(path, text),
    async kind(given) {
      const path = posix.join(given);
      if (files.has(path)) return 'file';
      return isFolder(path.replace(/\/$/, '')) ? 'folder' : undefined;
    },
    async list(given) {
      const prefix = `${posix.join(given).replace(/\/$/, '')}/`;
      const entries = new Map<string, FileEntry>();
      for (const [path, text] of files) {
        if (!path.startsWith(prefix) || path === prefix) continue;
        const [name = '', ...rest] = path.slice(prefix.length).split('/');
        const isFolder = rest.length > 0;
        if (isFolder) entries.set(name, { name, kind: 'folder', sizeBytes: 0 });
        else {
          const stamp = stampOf(text);
          entries.set(name, { name, kind: 'file', sizeBytes: stamp.sizeBytes, stamp });
        }
      }
      return [...entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    async stamp(path) {
      const text = files.get(posix.join(path));
      return text === undefined ? undefined : stampOf(text);
    },
    realPath: async (path) => posix.join(path),
    async *stream(path, { start = 0, end } = {}) {
      const text = files.get(posix.join(path));
      if (text === undefined) throw new Error(`${path}: no such file`);
      yield Buffer.from(text).subarray(start, end);
    },
    readStandardInput: async () => cli.stdin,
  };
}

/** Whoever changes a file leaves another text in it, and never a young one. */
function stampOf(text: string): FileStamp {
  const digest = digestOf(Buffer.from(text));
  const sizeBytes = Buffer.byteLength(text);
  return { sizeBytes, text: String(BigInt(`0x${digest.slice(-16)}`)), changedMs: 0 };
}
