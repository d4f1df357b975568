import type { Log, LogFields } from '../../runtime/log.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';
import { takeTurns } from '../../runtime/turns.ts';
import type { ExplainOutcome } from '../dns/explain.ts';
import type { DnsLimitCounters } from '../dns/limit/limit.ts';
import type { FromWorker, ToWorker, WorkerSnapshot } from './messages.ts';
import { type AppliedReport, type Health, NOTHING_APPLIED, type PlaneQuestion } from './plane.ts';

/** What one kind of worker does; see `edge-worker.ts` and `dns-worker.ts`. */
export interface WorkerEngine {
  /** One at a time. Starts to listen once the first snapshot is in effect. */
  apply(sequence: number, snapshot: WorkerSnapshot): Promise<AppliedReport>;
  setHealth?(health: Health): void;
  /** For TLS handshakes from now on. */
  setTicketKeys?(keys: Uint8Array): void;
  explain?(question: PlaneQuestion): ExplainOutcome;
  /** Undefined: it limits nothing. */
  limited?(): DnsLimitCounters | undefined;
  /** What was answered since this was last asked. */
  takeTraffic?(): readonly TrafficCount[];
  /** Open connections of clients; undefined: it is no edge. */
  connections?(): number;
  /** So many characters of what it noted of requests are written down, or given up. */
  linesTaken?(length: number): void;
  close(): Promise<void>;
}

/** The worker's end of its line to the supervisor. */
export interface WorkerChannel {
  post(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** Ends the line, and with it the worker once nothing else keeps it busy. */
  close(): void;
}

/** Does what the supervisor says until it says `close`. */
export function runWorker(channel: WorkerChannel, engine: WorkerEngine, log: Log): void {
  const inTurn = takeTurns();
  let report = NOTHING_APPLIED;
  let newestSequence = -1;
  let isListening = false;

  async function apply(sequence: number, snapshot: WorkerSnapshot): Promise<void> {
    // What was overtaken while it waited is skipped: the newer one is acknowledged instead.
    if (sequence < newestSequence) return;
    try {
      report = await engine.apply(sequence, snapshot);
      isListening = true;
    } catch (error) {
      // Without a socket this worker is of no use: start over. With one, what it has still serves.
      if (!isListening) throw error;
      const problem = `snapshot ${sequence}: ${error instanceof Error ? error.message : String(error)}`;
      log.error({ sequence, error: String(error) }, 'a snapshot could not be applied');
      report = { ...report, problems: [problem] };
    }
    channel.post({ kind: 'applied', sequence, report });
  }

  channel.onMessage((message) => {
    switch (message.kind) {
      case 'apply':
        newestSequence = Math.max(newestSequence, message.sequence);
        inTurn(() => apply(message.sequence, message.snapshot)).catch(fail);
        return;
      case 'health':
        // Behind a snapshot that is being applied, which would bring back its own.
        inTurn(async () => engine.setHealth?.(message.health)).catch(fail);
        return;
      case 'tickets':
        inTurn(async () => engine.setTicketKeys?.(message.keys)).catch(fail);
        return;
      case 'explain': {
        const outcome = engine.explain?.(message.question) ?? NOT_A_NAMESERVER;
        channel.post({ kind: 'explained', id: message.id, outcome });
        return;
      }
      case 'taken':
        return engine.linesTaken?.(message.length);
      case 'ping': {
        const limited = engine.limited?.();
        const traffic = engine.takeTraffic?.() ?? [];
        const counted = traffic.length > 0 && { traffic };
        const connections = engine.connections?.();
        const open = connections !== undefined && { connections };
        channel.post({ kind: 'pong', ...(limited && { limited }), ...counted, ...open });
        return;
      }
      case 'close':
        inTurn(() => engine.close())
          .then(() => channel.close())
          .catch(fail);
        return;
      case 'crash':
      case 'hang':
        return;
    }
  });
}

export const NOT_A_NAMESERVER: ExplainOutcome = {
  kind: 'refused',
  error: 'this node is not a nameserver',
};

/** Sends a worker's log lines to the supervisor, who has the sink. */
export function channelLog(post: (message: FromWorker) => void, base: LogFields = {}): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void =>
      post({ kind: 'log', level, fields: { ...base, ...fields }, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => channelLog(post, { ...base, ...fields }),
  };
}

/** Ends the worker as any bug would: the supervisor starts another one. */
function fail(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error));
}
