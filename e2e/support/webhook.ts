import { createHmac } from 'node:crypto';
import { request } from 'node:https';

/** Tells a dom of a push to main, as GitHub does, with a body that nothing else has. */
export function callWebhook(
  dom: { readonly address: string; readonly port: number },
  push: { readonly name: string; readonly secret: string; readonly commit: string },
): Promise<{ readonly status: number; readonly text: string }> {
  const { name, secret, commit } = push;
  const body = JSON.stringify({ ref: 'refs/heads/main', after: commit, commits: [] });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': commit,
    'x-hub-signature-256': `sha256=${signature}`,
  };
  const { address: host, port } = dom;
  const path = `/hooks/default/${name}`;
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, path, method: 'POST', headers, rejectUnauthorized: false, agent: false },
      (response) => {
        let text = '';
        response.on('data', (piece) => (text += String(piece)));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}
