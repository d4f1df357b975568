import type { Clock } from '../../runtime/clock.ts';
import type { DatagramAnswerer, DnsAnswerer } from '../../runtime/dns/reply.ts';
import type { Log } from '../../runtime/log.ts';
import type { DnsListener, DnsTls } from '../../runtime/node/dns/listener.ts';
import type { TlsContexts, TlsIdentity } from '../../runtime/node/tls/contexts.ts';
import type { HostIdentity } from '../dns/host-identities.ts';
import type { DnsEngine } from './dns-engine.ts';
import type { WorkerEngine } from './worker.ts';

export interface DnsWorkerParts {
  readonly dns: DnsEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** How DNS over TLS is served; left out: not at all. */
  readonly tls?: DnsTls & { readonly contexts: TlsContexts };
  readonly listen: (answer: DnsAnswerer, answerDatagram: DatagramAnswerer) => Promise<DnsListener>;
}

/** A nameserver on sockets; it listens once it has zones to answer from. */
export function dnsWorker({ dns, clock, log, tls, listen }: DnsWorkerParts): WorkerEngine {
  let listener: DnsListener | undefined;
  let shown = tls?.identity;
  /** Undefined: those that it was started with. */
  let ticketKeys: Uint8Array | undefined;
  const stop = new AbortController();
  const running = dns.run(stop.signal);
  const nowMs = (): number => clock.nowMs();
  return {
    async apply(_sequence, snapshot) {
      if (snapshot.kind !== 'dns') throw new TypeError(`a nameserver was given ${snapshot.kind}`);
      const report = await dns.apply(snapshot.dns, snapshot.databases);
      if (listener === undefined) {
        // Whoever starts again must not answer worse than before.
        await dns.warm();
        listener = await listen(
          (query, peer) => dns.serve(query, peer, nowMs),
          (datagram) => dns.serveDatagram(datagram, nowMs),
        );
        const { tlsProblem: problem } = listener;
        if (ticketKeys !== undefined) listener.setTicketKeys(ticketKeys);
        if (problem !== undefined) log.warn({ problem }, 'DNS over TLS is not served');
      }
      const identity = tls && identityOf(tls, snapshot.dns.identities ?? []);
      if (identity !== undefined && identity.fingerprint !== shown?.fingerprint) {
        listener.setTlsIdentity(identity);
        shown = identity;
      }
      return report;
    },
    setHealth: (health) => dns.setHealth(health),
    setTicketKeys(keys) {
      ticketKeys = keys;
      listener?.setTicketKeys(keys);
    },
    explain: (question) => dns.explain(question),
    limited: () => dns.limited(),
    close: async () => {
      stop.abort();
      await Promise.all([running, listener?.close()]);
    },
  };
}

/** For clients that ask for no name, the certificate of the first one that has a usable one. */
function identityOf(
  { contexts, identity: fallback }: NonNullable<DnsWorkerParts['tls']>,
  identities: readonly HostIdentity[],
): TlsIdentity {
  contexts.replace(new Map(identities.map((each) => [each.host, each])));
  const usable = identities.find(
    ({ host, fingerprint }) => contexts.fingerprintFor(host) === fingerprint,
  );
  return usable ?? fallback;
}
