import type { Clock } from '../../runtime/clock.ts';
import type { DnsAnswerer } from '../../runtime/dns-reply.ts';
import type { DnsListener } from '../../runtime/node/dns-listener.ts';
import type { DnsEngine } from './dns-engine.ts';
import type { WorkerEngine } from './worker.ts';

export interface DnsWorkerParts {
  readonly dns: DnsEngine;
  readonly clock: Clock;
  readonly listen: (answer: DnsAnswerer) => Promise<DnsListener>;
}

/** A nameserver on sockets; it listens once it has zones to answer from. */
export function dnsWorker({ dns, clock, listen }: DnsWorkerParts): WorkerEngine {
  let listener: DnsListener | undefined;
  const stop = new AbortController();
  const running = dns.run(stop.signal);
  const nowMs = (): number => clock.nowMs();
  return {
    async apply(_sequence, snapshot) {
      if (snapshot.kind !== 'dns') throw new TypeError(`a nameserver was given ${snapshot.kind}`);
      const report = await dns.apply(snapshot.dns, snapshot.databases);
      listener ??= await listen((query, peer) => dns.serve(query, peer, nowMs));
      return report;
    },
    setHealth: (health) => dns.setHealth(health),
    explain: (question) => dns.explain(question),
    close: async () => {
      stop.abort();
      await Promise.all([running, listener?.close()]);
    },
  };
}
