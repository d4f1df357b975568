import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { FakeSign } from '../fake/remote.ts';
import type { Signer } from './signer.ts';

/** A key of ssh that signs for a test. */
export interface SshKeyFixture {
  /** A line as in a `.pub` file. */
  readonly line: string;
  readonly sign: FakeSign;
  signer(limits?: Partial<Signer>): Signer;
}

export function sshKey(name: string, { namespace = 'git' } = {}): SshKeyFixture {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const x = publicKey.export({ format: 'jwk' }).x ?? '';
  const type = 'ssh-ed25519';
  const blob = Buffer.concat([string(type), string(Buffer.from(x, 'base64url'))]);
  const line = `${type} ${blob.toString('base64')} ${name}`;
  return {
    line,
    signer: (limits = {}) => ({
      ...{ name, isRevoked: false, ...limits },
      key: { kind: 'ssh', type, blob: blob.toString('base64') },
    }),
    sign(payload) {
      const digest = createHash('sha512').update(payload).digest();
      const head = [string(namespace), string(''), string('sha512')];
      const signed = Buffer.concat([Buffer.from('SSHSIG'), ...head, string(digest)]);
      const signature = Buffer.concat([string(type), string(sign(undefined, signed, privateKey))]);
      const all = [Buffer.from('SSHSIG\0\0\0\u0001'), string(blob), ...head, string(signature)];
      return armored(Buffer.concat(all));
    },
  };
}

function armored(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----\n'].join('\n');
}

function string(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}
