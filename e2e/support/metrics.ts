import { get } from 'node:https';
import type { Connection } from '../../runtime/client-config.ts';
import { DOM_SERVER_NAME } from '../../runtime/tls/server-names.ts';

/** What dom counts by now under that name, of all that have these labels together; 0: nothing yet. */
export async function domMetric(
  connection: Connection,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await metrics(connection);
  const values = text.matchAll(new RegExp(`^${name}(\\{.*\\})? (\\S+)$`, 'gmu'));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...values]
    .filter(([, found = '']) => wanted.every((each) => found.includes(each)))
    .reduce((sum, [, , value]) => sum + Number(value), 0);
}

function metrics({ server, caPem, certificatePem, keyPem }: Connection): Promise<string> {
  const { hostname: host, port } = new URL(`https://${server}`);
  const tls = { ca: caPem, cert: certificatePem, key: keyPem, servername: DOM_SERVER_NAME };
  return new Promise((resolve, reject) => {
    const asked = get({ host, port, path: '/metrics', ...tls }, (response) => {
      let text = '';
      response.on('data', (piece: Buffer) => {
        text += piece.toString();
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    asked.on('error', reject);
  });
}
