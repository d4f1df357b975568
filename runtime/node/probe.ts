import { isIPv6 } from 'node:net';
import { HEALTH_PATH, type Probe, type ProbeTarget } from '../probe.ts';
import { http } from './http-module.ts';

/** A probe over HTTP, each on a connection of its own: a kept one may outlive what it leads to. */
export function httpProbe({ timeoutMs }: { readonly timeoutMs: number }): Probe {
  return {
    probe: (target, signal) =>
      probeOnce(target, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])),
  };
}

function probeOnce({ address, httpPort }: ProbeTarget, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get(
      {
        host: address,
        family: isIPv6(address) ? 6 : 4,
        port: httpPort,
        path: HEALTH_PATH,
        agent: false,
        signal,
      },
      (response) => {
        resolve(response.statusCode === 200);
        // The status is all we want: no body, however long, keeps the socket.
        request.destroy();
      },
    );
    request.on('error', () => resolve(false));
  });
}
