import type { Violation } from '../proto/gen/b8s/v1/api.ts';
import { type Api, ApiError } from '../runtime/api-client.ts';
import type { ClientConfig, Connection } from '../runtime/client-config.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Editor, Files } from '../runtime/disk/files.ts';
import type { DnsClient, DnsServer } from '../runtime/dns/client.ts';
import type { Fetcher } from '../runtime/fetcher.ts';
import type { Plugins } from '../runtime/plugins.ts';
import type { Terminal } from '../runtime/terminal.ts';

/** Who owns the fields that b8sctl writes. */
export const MANAGER = 'b8sctl';

/** All of the world that a command can touch. */
export interface Ports {
  readonly terminal: Terminal;
  readonly files: Files;
  readonly editor: Editor;
  readonly clock: Clock;
  readonly plugins: Plugins;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Where the config is unless `--config` says otherwise; several files are parted by colons. */
  readonly configPath: string;
  /** Where hashes of published files are remembered; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  /** Asks nameservers; loaded when a command does. */
  dns(): Promise<DnsAccess>;
  /** Reads what `-f` names by a URL; loaded when a command names one. */
  web(): Promise<Fetcher>;
  /** The way to registries of images; loaded when a command names an image. */
  registries(): Promise<RegistryPorts>;
  /** Dials dom; the first call shows whether it is there. */
  connect(connection: Connection, options: ConnectOptions): Promise<Api>;
}

/** The way to nameservers, and whom this machine asks for names. */
export interface DnsAccess {
  readonly client: DnsClient;
  readonly resolvers: readonly DnsServer[];
}

export interface RegistryPorts {
  readonly fetcher: Fetcher;
  /** "user:password" in base64 for a registry, as `docker login` left it. */
  credentials(registry: string): Promise<string | undefined>;
}

export interface ConnectOptions {
  readonly requestTimeoutMs: number;
  /** The command that was given, for history. */
  readonly command: string;
}

/** The flags that every command takes. */
export interface Settings {
  /** One file, or several, parted by colons. */
  readonly configPath: string;
  /** Empty: the config's current one. */
  readonly context: string;
  /** Empty: the context's. */
  readonly namespace: string;
  readonly requestTimeoutMs: number;
  /** From 0 to 9, see VERBOSITY. */
  readonly verbosity: number;
}

/** What a command works with: the ports, and what follows from the global flags. */
export interface Cli extends Ports {
  /** Valid once the command line is parsed, that is in actions. */
  settings(): Settings;
  config(): Promise<ClientConfig>;
  /** The dom of the chosen context; the same one each time. */
  api(): Promise<Api>;
  /** The namespace to work in: the flag's, the context's or "default". */
  namespace(): Promise<string>;
}

/** Ends the command with an exit code; the message, if there is one, goes to stderr as it is. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(
    message: string,
    options: { readonly exitCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CommandError';
    this.exitCode = options.exitCode ?? 1;
  }
}

/** What a failure looks like on stderr: the server's in its own words, the rest after "error:". */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return apiErrorText(error);
  if (error instanceof CommandError) return error.message;
  return `error: ${error instanceof Error ? error.message : String(error)}`.trimEnd();
}

function apiErrorText(error: ApiError): string {
  if (error.reason === 'Unavailable') return error.message;
  // The message of a single one says the same.
  const { violations } = error;
  const isSaid = violations.length === 1 && error.message === sentenceOf(violations[0]);
  const details = [
    ...(isSaid ? [] : violations).map((violation) => `  ${sentenceOf(violation)}`),
    ...error.clashes.map(({ path, manager }) => `  ${path} is owned by ${manager}`),
  ];
  return [`Error from server (${error.reason}): ${error.message}`, ...details].join('\n');
}

function sentenceOf(violation: Violation | undefined): string {
  const { path = '', message = '' } = violation ?? {};
  return `${path}${path === '' ? '' : ' '}${message}`;
}
