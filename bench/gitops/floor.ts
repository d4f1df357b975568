import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The least that anybody has to do who follows a repository: git asks, fetches one commit without its
 * history, and prints each of its files. How long in ms, and how many bytes of files came out.
 */
export async function fetchAndRead(
  url: string,
): Promise<{ readonly ms: number; readonly sizeBytes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-bench-floor-'));
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['--git-dir', folder, ...args], { encoding: 'utf8', maxBuffer: 1e8 });
  try {
    const startMs = performance.now();
    git('init', '--quiet', '--bare', '--template=');
    const [commit = ''] = git('ls-remote', url, 'refs/heads/main').split('\t');
    git('fetch', '--quiet', '--depth=1', '--no-tags', url, commit);
    const blobs = git('ls-tree', '-r', '--format=%(objectname)', commit);
    const sizeBytes = await readAll(folder, blobs);
    return { ms: performance.now() - startMs, sizeBytes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function readAll(folder: string, names: string): Promise<number> {
  const child = spawn('git', ['--git-dir', folder, 'cat-file', '--batch'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let sizeBytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
  });
  child.stdin.end(names);
  await once(child, 'close');
  return sizeBytes;
}
