import { type Command, Option } from 'commander';
import { VERSION } from '../../runtime/version.ts';
import type { Cli } from '../cli.ts';

interface VersionOptions {
  readonly client?: true;
  readonly output?: 'json';
}

/** `version` */
export function registerVersion(command: Command, cli: Cli): void {
  command
    .option('--client', 'only of b8sctl, without asking dom')
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json']))
    .action(async (options: VersionOptions) => {
      await version(options, cli);
    });
}

async function version(options: VersionOptions, cli: Cli): Promise<void> {
  const { terminal } = cli;
  const asJson = options.output === 'json';
  if (!asJson) terminal.out(`Client Version: ${VERSION}\n`);
  if (options.client === true) {
    if (asJson) terminal.out(`${JSON.stringify({ clientVersion: VERSION })}\n`);
    return;
  }
  const info = await (await cli.api()).serverInfo();
  if (asJson) {
    const { version: serverVersion, store } = info;
    terminal.out(`${JSON.stringify({ clientVersion: VERSION, serverVersion, store })}\n`);
  } else {
    terminal.out(`Server Version: ${info.version}\nStore: ${info.store}\n`);
  }
  const warning = skewWarning(VERSION, info.version);
  if (warning !== undefined) terminal.error(`${warning}\n`);
}

/** What to say when client and server are more than one minor version apart. */
export function skewWarning(client: string, server: string): string | undefined {
  const [ours, theirs] = [parseVersion(client), parseVersion(server)];
  if (ours === undefined || theirs === undefined) return undefined;
  if (ours.major === theirs.major && Math.abs(ours.minor - theirs.minor) <= 1) return undefined;
  const difference = `version difference between client (${client}) and server (${server})`;
  return `WARNING: ${difference} exceeds the supported minor version skew of +/-1`;
}

function parseVersion(
  text: string,
): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { major: Number(major), minor: Number(minor) };
}
