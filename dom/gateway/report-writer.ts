import type { Report } from '../../proto/gen/b8s/v1/agent.ts';

import { CONFLICT_BACKOFF } from '../../runtime/control/controller.ts';
import type { InSlot } from '../../runtime/slots.ts';
import type { WriteOutcome } from '../../runtime/store/writer.ts';
import type { GatewayPorts } from './ports.ts';
import { reportRecord } from './report.ts';

/** Reports that lost a race are written anew this often before the session is given up. */
const CONFLICTS_MAX = 5;

/**
 * Keeps what one node reports. Level-based: what is written is the latest report, however many came
 * meanwhile, and only if it says anything new.
 */
export class ReportWriter {
  readonly #node: { readonly name: string; readonly uid: string };
  readonly #ports: Pick<GatewayPorts, 'clock' | 'log' | 'mirror' | 'writer'>;
  /** Of all nodes together, for plans matter more than reports. */
  readonly #inSlot: InSlot;
  readonly #signal: AbortSignal;
  #latest: Report | undefined;
  #phase: 'idle' | 'writing' = 'idle';

  constructor(options: {
    readonly node: { readonly name: string; readonly uid: string };
    readonly ports: Pick<GatewayPorts, 'clock' | 'log' | 'mirror' | 'writer'>;
    readonly inSlot: InSlot;
    /** Ends with the session: what comes later must not be written. */
    readonly signal: AbortSignal;
  }) {
    this.#node = options.node;
    this.#ports = options.ports;
    this.#inSlot = options.inSlot;
    this.#signal = options.signal;
  }

  /** Resolves when nothing is left to write. Throws when it cannot be written. */
  async keep(report: Report): Promise<void> {
    this.#latest = report;
    if (this.#phase === 'writing') return;
    this.#phase = 'writing';
    try {
      await this.#writeAll();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#phase = 'idle';
    }
  }

  async #writeAll(): Promise<void> {
    const { clock, mirror } = this.#ports;
    for (let conflicts = 0; this.#latest !== undefined && !this.#signal.aborted; ) {
      const outcome = await this.#inSlot(() => this.#write());
      if (outcome.outcome === 'written') await mirror.reached(outcome.revision, this.#signal);
      if (outcome.outcome !== 'conflict') continue;
      conflicts += 1;
      if (conflicts > CONFLICTS_MAX) throw new Error('others write its report');
      await clock.sleep(CONFLICT_BACKOFF.baseMs, this.#signal);
    }
  }

  /** Upon the one that the mirror shows: what an ended session wrote late must not win. */
  async #write(): Promise<WriteOutcome> {
    const report = this.#latest;
    if (report === undefined || this.#signal.aborted) return { outcome: 'unchanged' };
    this.#latest = undefined;
    const { name: id, uid } = this.#node;
    const { mirror, writer, log } = this.#ports;
    const value = reportRecord(report, uid);
    const before = mirror.record('report', id);
    if (JSON.stringify(before?.value) === JSON.stringify(value)) return { outcome: 'unchanged' };
    const modRevision = before?.modRevision ?? 0n;
    const operation = { kind: 'record', record: 'report', id, value, modRevision } as const;
    try {
      const outcome = await writer.commit([operation], { manager: 'node', user: `node:${id}` });
      if (outcome.outcome === 'conflict') this.#latest ??= report;
      return outcome;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // It would be so in the next session too: the node is there, and keeps its last report.
      log.error({ node: id, error: error.message }, 'a report is too large');
      return { outcome: 'unchanged' };
    }
  }
}
