import type { Sealer } from '../../runtime/authority.ts';
import { zoneKeyContext } from '../../runtime/dnssec.ts';
import type { Secret } from '../check/check.ts';

const ZONE_KEY = zoneKeyContext('');

/** The same sealer, which tells of every private key of a zone that it is given. */
export function overheardSealer(sealer: Sealer, onKey: (key: Secret) => void): Sealer {
  return {
    ...sealer,
    seal(secret, context) {
      if (context.startsWith(ZONE_KEY))
        onKey({ kind: 'zone key', pem: secret, zoneUid: context.slice(ZONE_KEY.length) });
      return sealer.seal(secret, context);
    },
  };
}
