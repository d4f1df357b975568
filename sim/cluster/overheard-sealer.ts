import { accountKeyContext } from '../../controllers/acme/ports.ts';
import { COOKIE_CONTEXT } from '../../runtime/dns/cookie.ts';
import { zoneKeyContext } from '../../runtime/dns/dnssec.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import type { Secret } from '../check/check.ts';

const ZONE_KEY = zoneKeyContext('');
const ACCOUNT_KEY = accountKeyContext('');

/** The same sealer, which tells of every key of a zone or an account, and what makes cookies, that it is given. */
export function overheardSealer(sealer: Sealer, onSecret: (secret: Secret) => void): Sealer {
  return {
    ...sealer,
    seal(secret, context) {
      if (context.startsWith(ZONE_KEY))
        onSecret({ kind: 'zone key', pem: secret, zoneUid: context.slice(ZONE_KEY.length) });
      if (context.startsWith(ACCOUNT_KEY)) onSecret({ kind: 'account key', pem: secret });
      if (context === COOKIE_CONTEXT)
        onSecret({ kind: 'cookie secret', bytes: Buffer.from(secret, 'base64') });
      return sealer.seal(secret, context);
    },
  };
}
