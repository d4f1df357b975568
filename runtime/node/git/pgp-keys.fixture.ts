import type { PgpKeys } from '../../git/verify.case.ts';
import { GpgHome } from './gpg-home.fixture.ts';

/** The keys for `verifyCases`, made by gpg. */
export function pgpKeys(folder: string): { readonly keys: PgpKeys; readonly home: GpgHome } {
  const home = new GpgHome(folder);
  const past = '20230101T000000';
  const key = (name: string): PgpKeys['ada'] => {
    return { armor: home.export(name), sign: home.signer(name), disguised: home.disguised(name) };
  };
  home.make('ada');
  home.make('eve');
  home.make('old', { at: past, expires: '1d' });
  home.make('lost');
  const keys: PgpKeys = {
    ada: key('ada'),
    eve: key('eve'),
    old: { ...key('old'), sign: home.signer('old', { at: past }) },
    lost: { ...key('lost'), armor: home.revoked('lost') },
  };
  return { keys, home };
}
