import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeSign } from './fake/remote.ts';
import type { GitScene, PushedRemote } from './git.case.ts';
import type { GitRef } from './git.ts';
import { type Signer } from './signature/signer.ts';
import { sshKey } from './signature/ssh-key.fixture.ts';
import type { Verification } from './signature/verify.ts';

/** Keys of OpenPGP: in force, of nobody who is listed, expired, and revoked after it had signed. */
export interface PgpKeys {
  readonly ada: PgpKey;
  readonly eve: PgpKey;
  readonly old: PgpKey;
  readonly lost: PgpKey;
}

interface PgpKey {
  readonly armor: string;
  readonly sign: FakeSign;
  /** A whole signed message of some other text, in the clothes of a signature. */
  readonly disguised: FakeSign;
}

export interface VerifyScene extends GitScene {
  readonly pgp: PgpKeys;
}

const LIMITS = { fetchBytesMax: 4_000_000, filesMax: 50 };
const calm = new AbortController().signal;
/** When commits of the tests say that they were made. */
const COMMIT_MS = 1_700_000_000_000;
const MAIN: GitRef = { kind: 'branch', name: 'main' };

const ada = sshKey('ada');
const eve = sshKey('eve');
const mail = sshKey('ada', { namespace: 'email' });

/** What `Git` says of signatures: every implementation passes it. */
export function verifyCases(start: () => Promise<VerifyScene>): void {
  let scene: VerifyScene;
  let ids = 0;
  beforeAll(async () => {
    scene = await start();
  });
  afterAll(() => scene.end());

  const judge = async (
    remote: PushedRemote,
    signers: readonly Signer[],
    { ref = MAIN, of = 'commit' }: { ref?: GitRef; of?: 'commit' | 'tag' } = {},
  ): Promise<Verification> => {
    const at = { id: `v${(ids += 1)}`, url: remote.url, credentials: {} };
    const target = await scene.git.resolve(at, ref, calm);
    const opened = await scene.git.open(at, target, { limits: LIMITS, signal: calm });
    const verified = await opened.verify(of, signers);
    await opened.close();
    return verified;
  };
  const pgpSigner = ({ armor }: PgpKey, name = 'ada'): Signer => {
    return { name, key: { kind: 'openpgp', armor }, isRevoked: false };
  };
  const refused = (message: RegExp): object => ({
    kind: 'refused',
    message: expect.stringMatching(message),
  });

  describe('of a commit', () => {
    const both = [eve.signer(), ada.signer()];
    const cases: readonly {
      readonly when: string;
      readonly sign?: FakeSign;
      readonly signers: readonly Signer[];
      readonly says: RegExp;
    }[] = [
      {
        when: 'by one who is listed',
        sign: ada.sign,
        signers: both,
        says: /^ada \(SHA256:.{43}\)$/,
      },
      {
        when: 'within the time of its key',
        sign: ada.sign,
        signers: [ada.signer({ fromMs: COMMIT_MS, untilMs: COMMIT_MS + 1 })],
        says: /^ada/,
      },
      { when: 'that is missing', signers: both, says: /commit [0-9a-f]{7} is not signed; sign it/ },
      {
        when: 'by nobody who is listed',
        sign: eve.sign,
        signers: [ada.signer()],
        says: /signed with the key SHA256:.{43}, which is of none of the signers; .* spec\.verify/,
      },
      { when: 'with no signers at all', sign: ada.sign, signers: [], says: /none of the signers/ },
      {
        when: 'over other bytes',
        sign: () => ada.sign(Buffer.from('other')),
        signers: both,
        says: /is not what ada \(SHA256:.*\) has signed: it was changed after/,
      },
      {
        when: 'made for something else than Git',
        sign: mail.sign,
        signers: [mail.signer()],
        says: /is not meant for Git/,
      },
      {
        when: 'by a key that had expired',
        sign: ada.sign,
        signers: [ada.signer({ untilMs: COMMIT_MS })],
        says: /by ada with SHA256:.*, which was expired at 2023-11-14T22:13:20/,
      },
      {
        when: 'by a key of later',
        sign: ada.sign,
        signers: [ada.signer({ fromMs: COMMIT_MS + 1 })],
        says: /not yet valid/,
      },
      {
        when: 'by a key that is revoked, though it is listed, too',
        sign: ada.sign,
        signers: [ada.signer(), ada.signer({ isRevoked: true })],
        says: /by ada with SHA256:.*, which is revoked/,
      },
      {
        when: 'that is noise',
        sign: () => '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n',
        signers: both,
        says: /is not readable/,
      },
      {
        when: 'of X.509',
        sign: () => '-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n',
        signers: both,
        says: /use ssh or OpenPGP/,
      },
    ];
    test.each(cases)('a signature $when', async ({ sign, signers, says }) => {
      const remote = await scene.remote();
      await remote.commit({ a: '1' }, sign === undefined ? {} : { sign });
      const verified = await judge(remote, signers);
      const told = verified.kind === 'signed' ? verified.by : verified.message;
      expect(told).toMatch(says);
      expect(verified.kind).toBe(says.source.startsWith('^ada') ? 'signed' : 'refused');
    });

    test('of two signatures none is believed', async () => {
      const remote = await scene.remote();
      // What the first signs is the commit without any, so that Git would take both away.
      const sign: FakeSign = (payload) => {
        const own = ada.sign(payload).trimEnd();
        return `${own}\ngpgsig ${own.replaceAll('\n', '\n ')}`.replaceAll('\ngpgsig', '\u0001');
      };
      await remote.commit({ a: '1' }, { sign });
      expect(await judge(remote, [ada.signer()])).toEqual(refused(/./));
    });
  });

  describe('of a commit, by OpenPGP', () => {
    test('by one who is listed', async () => {
      const remote = await scene.remote();
      const { ada: key, eve: other } = scene.pgp;
      await remote.commit({ a: '1' }, { sign: key.sign });
      const signers = [pgpSigner(other, 'eve'), ada.signer(), pgpSigner(key)];
      expect(await judge(remote, signers)).toEqual({
        kind: 'signed',
        by: expect.stringMatching(/^ada \([0-9A-F]{40}\)$/),
      });
    });

    test.each<{
      readonly when: string;
      readonly by: keyof PgpKeys;
      readonly listed: keyof PgpKeys;
      readonly says: RegExp;
    }>([
      { when: 'nobody who is listed', by: 'eve', listed: 'ada', says: /none of the signers/ },
      { when: 'an expired key', by: 'old', listed: 'old', says: /which is expired/ },
      { when: 'a revoked key', by: 'lost', listed: 'lost', says: /which is revoked/ },
    ])('refused: by $when', async ({ by, listed, says }) => {
      const remote = await scene.remote();
      await remote.commit({ a: '1' }, { sign: scene.pgp[by].sign });
      expect(await judge(remote, [pgpSigner(scene.pgp[listed])])).toEqual(refused(says));
    });

    test('a key that somebody lists as revoked counts for nobody who lists it, too', async () => {
      const { ada: key } = scene.pgp;
      const remote = await scene.remote();
      await remote.commit({ a: '1' }, { sign: key.sign });
      const team = pgpSigner(key, 'team');
      expect(await judge(remote, [team])).toMatchObject({ kind: 'signed' });
      const stolen = { ...pgpSigner(key, 'bob'), isRevoked: true };
      const says = /by bob with .*, which is revoked/;
      expect(await judge(remote, [team, stolen])).toEqual(refused(says));
    });

    test('refused: over other bytes, noise, twice, or a message that brings its own text', async () => {
      const { ada: key } = scene.pgp;
      const twice: FakeSign = (payload) => `${key.sign(payload)}${key.sign(payload)}`;
      const noise: FakeSign = () =>
        '-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n';
      const signs = [() => key.sign(Buffer.from('other')), noise, twice, key.disguised];
      for (const sign of signs) {
        const remote = await scene.remote();
        await remote.commit({ a: '1' }, { sign });
        expect(await judge(remote, [pgpSigner(key)])).toEqual(refused(/./));
      }
    });
  });

  describe('of a tag', () => {
    const v1: GitRef = { kind: 'tag', name: 'v1.0.0' };
    const cases: readonly {
      readonly when: string;
      readonly options: Parameters<PushedRemote['tag']>[2];
      readonly ref?: GitRef;
      readonly says: RegExp;
    }[] = [
      { when: 'that one who is listed has signed', options: { sign: ada.sign }, says: /^ada/ },
      { when: 'of another', options: { sign: eve.sign }, says: /none of the signers/ },
      {
        when: 'that was signed under another name',
        options: { sign: ada.sign, inside: 'v0.9.0' },
        says: /tag v1\.0\.0 cannot be verified: the name in the tag is another one/,
      },
      {
        when: 'without a signature',
        options: {},
        says: /tag v1\.0\.0 is (not signed|a name alone)/,
      },
      {
        when: 'that was not asked for',
        options: { sign: ada.sign },
        ref: MAIN,
        says: /was not asked for by a tag/,
      },
    ];
    test.each(cases)('a tag $when', async ({ options, says, ref = v1 }) => {
      const remote = await scene.remote();
      // The commit itself is not signed.
      await remote.tag('v1.0.0', await remote.commit({ a: '1' }), options);
      const verified = await judge(remote, [ada.signer()], { ref, of: 'tag' });
      expect(verified.kind === 'signed' ? verified.by : verified.message).toMatch(says);
    });

    test('a signed tag is read when its commit is here by its branch, too', async () => {
      const remote = await scene.remote();
      await remote.tag('v1.0.0', await remote.commit({ a: '1' }), { sign: ada.sign });
      const at = { id: `v${(ids += 1)}`, url: remote.url, credentials: {} };
      for (const ref of [MAIN, v1]) {
        const target = await scene.git.resolve(at, ref, calm);
        const opened = await scene.git.open(at, target, { limits: LIMITS, signal: calm });
        const verified = await opened.verify('tag', [ada.signer()]);
        expect(verified.kind).toBe(ref === MAIN ? 'refused' : 'signed');
        await opened.close();
      }
    });
  });
}
