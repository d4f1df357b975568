import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../runtime/node/clock.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A CA that b8s knows nothing of: people bring what it issued. */
export interface OwnCa {
  readonly caPem: string;
  issue(names: readonly string[]): Promise<IssuedFiles>;
  /** A line of each key that it gave out, which is in no other text. */
  keyLines(): readonly string[];
  /** Removes its files. */
  forget(): void;
}

export interface IssuedFiles {
  readonly chainFile: string;
  readonly keyFile: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
}

export async function createOwnCa(): Promise<OwnCa> {
  const [clock, random] = [systemClock(), systemRandom()];
  const own = await generateCa({ clock, random, name: 'a CA that somebody else has' });
  const authority = await createAuthority({ ...own, clock, random });
  const folder = mkdtempSync(join(tmpdir(), 'b8s-own-ca-'));
  const lines: string[] = [];
  return {
    caPem: own.caPem,
    async issue(names) {
      const lifetimeMs = 30 * DAY_MS;
      const issued = await authority.issueServer({ names, keyType: 'ecdsa-p256', lifetimeMs });
      const [chainFile, keyFile] = ['crt', 'key'].map((end) =>
        join(folder, `${issued.fingerprint}.${end}`),
      ) as [string, string];
      writeFileSync(chainFile, issued.chainPem);
      writeFileSync(keyFile, issued.keyPem, { mode: 0o600 });
      // The first line says of what kind it is: the same in all.
      lines.push(issued.keyPem.trim().split('\n')[2] ?? issued.keyPem);
      return { chainFile, keyFile, fingerprint: issued.fingerprint };
    },
    keyLines: () => lines,
    forget: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The common name of a certificate that has nothing but that. */
export function commonNameOf(pem: string): string {
  return new X509Certificate(pem).subject.replace(/^CN=/, '');
}
