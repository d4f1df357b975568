import { spawn } from 'node:child_process';
import { access, constants, readdir, stat } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Plugins } from '../plugins.ts';

/** Those on `path`, the value of $PATH. Relative folders are not looked into. */
export function nodePlugins(path: string): Plugins {
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  return {
    async find(name) {
      if (name.includes('/')) return undefined;
      for (const folder of folders) {
        if (await isProgram(join(folder, name))) return join(folder, name);
      }
      return undefined;
    },
    async list(prefix) {
      const found: string[] = [];
      for (const folder of new Set(folders)) {
        const names = await readdir(folder).catch((): readonly string[] => []);
        for (const name of names.filter((each) => each.startsWith(prefix)).toSorted())
          if (await isProgram(join(folder, name))) found.push(join(folder, name));
      }
      return found;
    },
    run(file, args) {
      return new Promise((resolve, reject) => {
        const child = spawn(file, args, { stdio: 'inherit' });
        child.on('error', reject);
        child.on('exit', (code, signal) =>
          // As a shell reports it.
          resolve(code ?? 128 + (signal === null ? 0 : osConstants.signals[signal])),
        );
      });
    },
  };
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
