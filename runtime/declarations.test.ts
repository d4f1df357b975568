import { expect, test } from 'vitest';
import { parseManifests } from '../api/manifest.ts';
import { declare, expandList } from './declarations.ts';

const ENC = 'ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]';
const secret = (value: string, more = ''): string =>
  `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: db }
spec:
  data:
    password: ${value}
${more}`;
const SOPS = `sops:\n  mac: ${ENC}\n`;

const problems = (text: string): readonly string[] =>
  parseManifests(text, 's.yaml')
    .flatMap(expandList)
    .map((document) => declare(document, '.', { fallback: 'default', required: undefined }))
    .flatMap((declared) => (declared.kind === 'problem' ? [declared.problem] : []));

test('what SOPS has encrypted is refused where nobody decrypts it', () => {
  expect(problems(secret(ENC, SOPS))).toEqual([
    expect.stringMatching(/^s\.yaml:7 is encrypted with SOPS, which only dom decrypts: push it to/),
  ]);
});

test('…also without the block that says so: the ciphertext would become the value', () => {
  const says =
    /^s\.yaml:6 spec\.data\.password is what SOPS made of a value, without the sops block/;
  expect(problems(secret(ENC))).toEqual([expect.stringMatching(says)]);
  const list = { kind: 'List', items: parseManifests(secret(ENC), '').map(rawOf) };
  expect(problems(JSON.stringify(list))).toEqual([expect.stringMatching(/is what SOPS made/)]);
  expect(problems(JSON.stringify({ ...list, sops: { mac: ENC } }))).toEqual([
    expect.stringMatching(/is encrypted with SOPS, which only dom decrypts/),
  ]);
});

test('what merely speaks of it is not', () => {
  expect(problems(secret('ENC is short for encrypted'))).toEqual([]);
  expect(problems(secret('x', 'sops: later\n'))).toEqual([
    expect.stringMatching(/sops.*\(s\.yaml:7\)/),
  ]);
});

function rawOf(document: ReturnType<typeof parseManifests>[number]): unknown {
  return document.kind === 'object' ? document.raw : undefined;
}
