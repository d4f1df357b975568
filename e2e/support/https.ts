import { Agent, request } from 'node:https';

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface Edge {
  readonly address: string;
  readonly port: number;
}

export interface Browser {
  /** Rejects when the connection fails. */
  get(edge: Edge, path: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  close(): void;
}

/** Fetches pages of one host from edges chosen by address, over TLS verified by `ca`. */
export function browser(
  host: string,
  ca: string,
  options: { readonly keepAlive: boolean },
): Browser {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: 64, ca, servername: host });
  return {
    get: (edge, path, headers = {}) =>
      new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            host: edge.address,
            port: edge.port,
            path,
            servername: host,
            headers: { host: `${host}:${edge.port}`, ...headers },
            timeout: 10_000,
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: Buffer.concat(chunks),
              }),
            );
          },
        );
        call.on('timeout', () => call.destroy(new Error('timed out')));
        call.on('error', reject);
        call.end();
      }),
    close: () => agent.destroy(),
  };
}
