import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import type { NodeOptions } from './cluster.ts';
import { atEnd } from './ending.ts';
import { type Answer, watchNetwork } from './network.ts';

/** Debian's; Playwright's own is never fetched. */
const CHROMIUM = '/usr/bin/chromium';
/** Writes into the store of certificates that Chromium reads. */
const CERTUTIL = '/usr/bin/certutil';

/** A person at a browser: cache, passwords and what it remembers of hosts are that person's own. */
export interface Visitor {
  readonly page: Page;
  /**
   * Goes to an address and waits until all is there that the page needs. Gives every answer on the
   * way, by when it was asked for. Rejects with the browser's own words (`net::ERR_…`) where it
   * refuses to go.
   */
  visit(url: string): Promise<readonly Answer[]>;
}

export interface Chromium {
  visitor(options?: BrowserContextOptions): Promise<Visitor>;
}

export interface ChromiumOptions {
  /** All names lead to this node, at ports 80 and 443, too. */
  readonly node: NodeOptions;
  /** PEM; what it signed is trusted, as if its owner had said so. Left out: nothing of ours is. */
  readonly ca?: string;
}

/** The tests of this `describe` are skipped where there is no browser; in CI they fail. */
export function describeInChromium(title: string, cases: () => void): void {
  const absent = [CHROMIUM, CERTUTIL].filter((file) => !existsSync(file));
  const reason = 'apt-get install chromium libnss3-tools';
  if (absent.length > 0 && process.env['CI'] === 'true') throw new Error(reason);
  const suffix = absent.length === 0 ? '' : ` (skipped: ${reason})`;
  describe.skipIf(absent.length > 0)(`${title}${suffix}`, cases);
}

/** Starts a browser before the tests of this `describe`, and ends all of it after them. */
export function useChromium(options: () => ChromiumOptions): () => Chromium {
  let started: Started | undefined;
  beforeAll(async () => {
    started = await startChromium(options());
  });
  afterAll(() => started?.stop());
  return () => {
    if (started === undefined) throw new Error('the browser did not start');
    return started;
  };
}

interface Started extends Chromium {
  stop(): Promise<void>;
}

async function startChromium({ node, ca }: ChromiumOptions): Promise<Started> {
  const home = mkdtempSync(join(tmpdir(), 'b8s-chromium-'));
  const remove = (): void => rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  const isRemoved = atEnd(remove);
  try {
    if (ca !== undefined) await trust(ca, home);
    const browser = await launch(node, home);
    return {
      visitor: (context) => visitor(browser, context),
      stop: async () => {
        await browser.close();
        remove();
        isRemoved();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * It is told what to do through a pipe, and ends with it: also when this process is killed, nothing
 * of it stays. Root has no sandbox to start it in, and it sees no pages but ours.
 */
function launch({ address, httpPort, httpsPort }: NodeOptions, home: string): Promise<Browser> {
  const rules = [
    `MAP *:443 ${address}:${httpsPort}`,
    `MAP *:80 ${address}:${httpPort}`,
    `MAP * ${address}`,
  ];
  return chromium.launch({
    executablePath: CHROMIUM,
    // Where Chromium looks for certificates that its owner trusts, and leaves what it remembers.
    env: { ...process.env, HOME: home },
    args: [`--host-resolver-rules=${rules.join(',')}`],
    artifactsDir: home,
    // Ctrl-C ends the tests in their order, and they end the browser.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
  });
}

async function trust(ca: string, home: string): Promise<void> {
  const folder = join(home, '.pki/nssdb');
  const file = join(home, 'ca.pem');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, ca);
  const certutil = (...args: readonly string[]) => run(CERTUTIL, ['-d', `sql:${folder}`, ...args]);
  await certutil('-N', '--empty-password');
  // "C": it may sign servers' certificates.
  await certutil('-A', '-n', 'b8s', '-t', 'C,,', '-i', file);
}

const run = promisify(execFile);

async function visitor(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const network = await watchNetwork(await context.newCDPSession(page));
  return {
    page,
    visit: (url) => network.during(() => page.goto(url)),
  };
}
