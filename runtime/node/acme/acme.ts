import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Acme } from '../../acme/acme.ts';
import type { Clock } from '../../clock.ts';
import type { KeyType } from '../../tls/authority.ts';
import { VERSION } from '../../version.ts';
import { accountSteps } from './accounts.ts';
import { createCalls } from './calls.ts';
import { certificateSteps } from './certificates.ts';
import { readSigningKey, thumbprint } from './jws.ts';
import { orderSteps } from './orders.ts';
import { createTransport } from './transport.ts';

export interface AcmeClient extends Acme {
  /** Ends the connections that are kept; it can still be used. */
  close(): void;
}

/** ACME over HTTPS. One is enough for all CAs: each has its own connections and nonces. */
export function createAcmeClient(ports: {
  readonly clock: Clock;
  /** Left out: 30 s. */
  readonly callTimeoutMs?: number;
}): AcmeClient {
  const transport = createTransport({ userAgent: `b8s/${VERSION}` });
  const steps = { calls: createCalls({ ...ports, transport }), clock: ports.clock };
  return {
    makeKey,
    keyAuthorization: (token, keyPem) => `${token}.${thumbprint(readSigningKey(keyPem))}`,
    ...accountSteps(steps),
    ...orderSteps(steps),
    ...certificateSteps(steps),
    close: () => transport.close(),
  };
}

async function makeKey(type: KeyType): Promise<string> {
  const encoding = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const;
  const { privateKey } =
    type === 'ecdsa-p256'
      ? await newKeys('ec', { namedCurve: 'P-256', ...encoding })
      : await newKeys('rsa', { modulusLength: 2048, ...encoding });
  return privateKey;
}

const newKeys = promisify(generateKeyPair);
