import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { acmeCases } from '../../runtime/acme/acme.case.ts';
import {
  type AcmeScene,
  type AcmeSceneOptions,
  type AcmeUnderTest,
  signal,
  txtValue,
} from '../../runtime/acme/scene.case.ts';
import { createAcmeClient } from '../../runtime/node/acme/acme.ts';
import { createCalls } from '../../runtime/node/acme/calls.ts';
import { asAccount } from '../../runtime/node/acme/steps.ts';
import { createTransport } from '../../runtime/node/acme/transport.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { certificateReader } from '../../runtime/node/tls/certificate-reader.ts';
import { type ChallengeServer, startChallengeServer } from '../support/challenge-server.ts';
import { type Pebble, pebbleMissing, startPebble } from '../support/pebble.ts';
import { freePorts } from '../support/ports.ts';

const missing = pebbleMissing();
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;
const LACKS: AcmeUnderTest['lacks'] = {
  'renewal information': 'Pebble 2.4.0 has none',
  'orders that replace': 'Pebble 2.4.0 has no renewal information',
  profiles: 'Pebble 2.4.0 has none',
  'CAA names': 'Pebble 2.4.0 names none in its directory',
};

// To the one who asks, a nonce that is refused makes no difference, not even every second one.
describe
  .skipIf(missing !== undefined)
  .each([{ nonceReject: 0 }, { nonceReject: 5 }, { nonceReject: 50 }])(
  `Pebble that refuses $nonceReject % of nonces${suffix}`,
  ({ nonceReject }) => {
    const clock = systemClock();
    const acme = createAcmeClient({ clock });
    const transport = createTransport({ userAgent: 'b8s-test' });
    const steps = { calls: createCalls({ clock, transport }), clock };
    /** Each takes a second to start, and accounts keep cases apart. */
    const pebbles = new Map<string, Promise<Pebble>>();
    let challenges: ChallengeServer;
    let nowhere: string;
    beforeAll(async () => {
      challenges = await startChallengeServer();
      nowhere = `https://127.0.0.1:${(await freePorts(1))[0]}/dir`;
    });
    afterAll(async () => {
      acme.close();
      transport.close();
      const started = await Promise.allSettled(pebbles.values());
      for (const one of started) if (one.status === 'fulfilled') await one.value.stop();
      await challenges.stop();
    });

    async function open(options: AcmeSceneOptions): Promise<AcmeScene> {
      const key = JSON.stringify(options);
      const starting = pebbles.get(key) ?? start(options, nonceReject, challenges);
      pebbles.set(key, starting);
      const pebble = await starting;
      const shown = new Set<string>();
      return {
        acme,
        reader: certificateReader,
        server: { directory: pebble.directory, caPem: pebble.caPem },
        nowhere: { directory: nowhere },
        externalAccount: pebble.externalAccount,
        roots: pebble.roots.map((root) => new X509Certificate(root).subject.replace(/^CN=/, '')),
        async prove({ type, name, token, keyAuthorization }) {
          shown.add(name);
          if (type === 'http-01') await challenges.setHttp(token, keyAuthorization);
          else if (type === 'tls-alpn-01') await challenges.setTlsAlpn(name, keyAuthorization);
          else await challenges.setTxt(`_acme-challenge.${name}`, txtValue(keyAuthorization));
        },
        deactivate: (account) =>
          asAccount(steps, account, { what: 'deactivate the account', signal }, async (post) => {
            await post({ url: account.url, payload: { status: 'deactivated' } });
          }),
        pass: () => clock.sleep(20),
        async close() {
          for (const name of shown) {
            await challenges.clearTxt(`_acme-challenge.${name}`);
            await challenges.clearTlsAlpn(name);
          }
        },
      };
    }

    acmeCases({ open, lacks: LACKS });
  },
);

function start(
  options: AcmeSceneOptions,
  nonceReject: number,
  { dnsServer, httpPort, tlsPort }: ChallengeServer,
): Promise<Pebble> {
  const { lifetimeMs } = options;
  return startPebble({
    ...{ nonceReject, dnsServer, httpPort, tlsPort },
    chainLength: options.intermediates ?? 1,
    alternateRoots: options.alternates ?? 0,
    authzReuse: options.authorizationReuse === 'always' ? 100 : 0,
    ...(options.externalAccount === undefined ? {} : { externalAccount: 'required' }),
    ...(options.looks === 'late' ? { lookAfterS: 2 } : {}),
    ...(lifetimeMs === undefined ? {} : { validityPeriodS: lifetimeMs / 1000 }),
  });
}
