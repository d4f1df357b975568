import { type ClientConfig, parseConfig } from '../runtime/client-config.ts';
import { type Cli, CommandError } from './cli.ts';

export interface ConfigFile {
  readonly path: string;
  readonly config: ClientConfig;
}

/** The files that `--config` or $B8SCONFIG name, in their order; of several, some may be absent. */
export async function readConfigFiles(cli: Cli): Promise<readonly ConfigFile[]> {
  const paths = cli.settings().configPath.split(':').filter(Boolean);
  const found: ConfigFile[] = [];
  for (const path of paths) {
    const text = await cli.files.readText(path);
    if (text !== undefined) found.push({ path, config: parse(text, path) });
  }
  if (found.length > 0) return found;
  throw new CommandError(
    `error: no config at ${paths.join(' or ')}: dom writes one at its first start; copy it here, or name it with --config or $B8SCONFIG`,
  );
}

function parse(text: string, path: string): ClientConfig {
  try {
    return parseConfig(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`error: ${path}: ${reason}`, { cause });
  }
}
