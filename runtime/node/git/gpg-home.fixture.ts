import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FakeSign } from '../../git/fake/remote.ts';

/** A home of gpg with keys that sign for a test; an agent runs in it until `end`. */
export class GpgHome {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { mode: 0o700 });
  }

  /** Makes a key; `expires` as gpg takes it: `seconds=1`, `1y`. Returns what it prints of it. */
  make(name: string, { at, expires = '0' }: { at?: string; expires?: string } = {}): string {
    const when = at === undefined ? [] : ['--faked-system-time', at];
    const how = ['--passphrase', '', '--quick-gen-key', name, 'ed25519', 'sign', expires];
    this.#run([...when, ...how]);
    return this.export(name);
  }

  export(name: string): string {
    return this.#run(['--armor', '--export', name]);
  }

  signer(name: string, { at }: { at?: string } = {}): FakeSign {
    const when = at === undefined ? [] : ['--faked-system-time', at];
    return (payload) =>
      this.#run([...when, '--local-user', name, '--armor', '--detach-sign'], payload);
  }

  /** A message with its text in it, as a signature that is detached. */
  disguised(name: string): FakeSign {
    return () =>
      this.#run(['--local-user', name, '--armor', '--sign'], Buffer.from('other text')).replaceAll(
        'PGP MESSAGE',
        'PGP SIGNATURE',
      );
  }

  /** The key as it is once it is revoked; here it still signs. */
  revoked(name: string): string {
    const listed = this.#run(['-k', '--with-colons', name]);
    const [, fingerprint = ''] = /^fpr:+([0-9A-F]{40}):/m.exec(listed) ?? [];
    const path = join(this.#folder, 'openpgp-revocs.d', `${fingerprint}.rev`);
    // A colon keeps one from importing the certificate by mistake.
    const certificate = readFileSync(path, 'utf8').replace(/^:(?=-----)/m, '');
    return `${this.export(name)}${certificate.slice(certificate.indexOf('-----BEGIN'))}`;
  }

  end(): void {
    execFileSync('gpgconf', ['--homedir', this.#folder, '--kill', 'gpg-agent']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(args: readonly string[], input: Uint8Array = Buffer.alloc(0)): string {
    const options = ['--homedir', this.#folder, '--batch', '--quiet', '--no-options'];
    return execFileSync('gpg', [...options, '--pinentry-mode', 'loopback', ...args], {
      ...{ input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] },
      env: { PATH: process.env['PATH'], HOME: this.#folder },
    });
  }
}
