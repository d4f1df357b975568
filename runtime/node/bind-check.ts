import { createServer } from 'node:net';

/** Whether this process may listen on a port: ports below 1024 are for the privileged. */
export function checkBind(address: string, port: number): Promise<'allowed' | 'denied'> {
  return new Promise((resolve) => {
    const server = createServer();
    // Anything else, such as a port in use, is for the one who listens to say.
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EACCES' ? 'denied' : 'allowed'),
    );
    server.listen({ host: address, port }, () => server.close(() => resolve('allowed')));
  });
}
