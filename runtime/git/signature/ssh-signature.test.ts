import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sshKey } from './ssh-key.fixture.ts';
import { isSshSignatureOf, parseSshSignature } from './ssh-signature.ts';

const PAYLOAD = Buffer.from('tree 1\n\nA commit\n');

const judge = (armor: string, payload: Uint8Array = PAYLOAD): string => {
  const parsed = parseSshSignature(armor);
  if (parsed === undefined) return 'unreadable';
  return isSshSignatureOf(parsed, payload) ? 'good' : 'bad';
};

test('a signature is of its bytes and no others', () => {
  const armor = sshKey('ada').sign(PAYLOAD);
  expect(judge(armor)).toBe('good');
  expect(judge(armor, Buffer.from('tree 2\n\nA commit\n'))).toBe('bad');
  expect(judge(armor.replaceAll('\n', '\r\n'))).toBe('good');
});

test('with any of its bytes changed or cut it is not good, and nothing is thrown', () => {
  const armor = sshKey('ada').sign(PAYLOAD);
  const bytes = Buffer.from(armor.split('\n').slice(1, -2).join(''), 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    for (const value of [0, 0xff, (bytes[at] ?? 0) ^ 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      if (!changed.equals(bytes)) expect([at, judge(armored(changed))]).not.toEqual([at, 'good']);
    }
    expect(judge(armored(bytes.subarray(0, at)))).toBe('unreadable');
  }
  expect(judge(armored(Buffer.concat([bytes, Buffer.from([0])])))).toBe('unreadable');
});

describe('keys in hardware (PROTOCOL.u2f)', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const type = 'sk-ssh-ed25519@openssh.com';
  const x = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const blob = Buffer.concat([string(type), string(x), string('ssh:')]);

  const signed = (flags: number, application = 'ssh:'): string => {
    const digest = createHash('sha512').update(PAYLOAD).digest();
    const head = [string('git'), string(''), string('sha512')];
    const inner = Buffer.concat([Buffer.from('SSHSIG'), ...head, string(digest)]);
    const tail = Buffer.from([flags, 0, 0, 0, 7]);
    const over = Buffer.concat([sha256(Buffer.from(application)), tail, sha256(inner)]);
    const signature = Buffer.concat([
      string(type),
      string(sign(undefined, over, privateKey)),
      tail,
    ]);
    const begin = Buffer.from('SSHSIG\0\0\0\u0001');
    return armored(Buffer.concat([begin, string(blob), ...head, string(signature)]));
  };

  test('of a person who touched it', () => expect(judge(signed(1))).toBe('good'));
  test('of nobody who did', () => expect(judge(signed(0))).toBe('bad'));
  test('made for another application', () => expect(judge(signed(1, 'web:'))).toBe('bad'));
});

describe('not with what is too weak', () => {
  const rsa = (bits: number, algorithm: string, hash: string): string => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
    const number = (text: string): Buffer =>
      string(Buffer.concat([Buffer.from([0]), Buffer.from(text, 'base64url')]));
    const blob = Buffer.concat([string('ssh-rsa'), number(e), number(n)]);
    const digest = createHash('sha512').update(PAYLOAD).digest();
    const head = [string('git'), string(''), string('sha512')];
    const over = Buffer.concat([Buffer.from('SSHSIG'), ...head, string(digest)]);
    const signature = Buffer.concat([string(algorithm), string(sign(hash, over, privateKey))]);
    const begin = Buffer.from('SSHSIG\0\0\0\u0001');
    return armored(Buffer.concat([begin, string(blob), ...head, string(signature)]));
  };
  test('rsa-sha2-256 of 2048 bits is taken', () =>
    expect(judge(rsa(2048, 'rsa-sha2-256', 'sha256'))).toBe('good'));
  test('SHA-1 (RFC 8332 §3)', () => expect(judge(rsa(2048, 'ssh-rsa', 'sha1'))).toBe('bad'));
  test('1024 bits', () => expect(judge(rsa(1024, 'rsa-sha2-256', 'sha256'))).toBe('bad'));
});

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

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
