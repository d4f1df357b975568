import { proofsUp } from '../../../runtime/acme/proofs.ts';
import type { AcmeOrderRecord } from '../../../runtime/acme/records.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import type { AppliedSnapshot, Check, CheckPorts, Commit } from '../check.ts';

export interface ProofTimesParts {
  /** A dom leads. */
  readonly leads: () => boolean;
  /** The node is one, and has a session. */
  readonly isConnected: (node: string) => boolean;
}

/** Within this time of a dom that leads, and of nodes that are connected, all trace is gone. */
export const PROOF_GONE_MS = 60_000;
const LOOK_MS = 500;
const CHALLENGE = '_acme-challenge.';
const ORDERS = recordKey('acmeOrder', '');
const ZONES = recordKey('zone', '');

/**
 * INV-32, at any time: once no order wants a proof any more, for it succeeded, failed or went, the
 * proof is gone from the zones in the store and from every connected node within `PROOF_GONE_MS`,
 * whoever crashed. Time without a dom that leads, or without a session, does not count.
 */
export function proofTimesCheck(
  { violated, reached, nowMs }: CheckPorts,
  { leads, isConnected }: ProofTimesParts,
): Check {
  /** By order: what it wants to be seen. */
  const wanted = new Map<string, ReadonlySet<string>>();
  /** By zone's key in the store, or node: what is shown there. */
  const shown = new Map<string, ReadonlySet<string>>();
  /** Who wrote a zone with that proof. */
  const writers = new Map<string, string>();
  /** Proofs that nobody wants, by place and proof: for how long that counts. */
  const left = new Map<string, number>();
  let [lookMs, lastMs] = [0, 0];

  function noteZone(commit: Commit, key: string, proofs: ReadonlySet<string>): void {
    for (const proof of shown.get(key) ?? [])
      if (!proofs.has(proof) && writers.get(proof) !== commit.process)
        reached('proof removed by another process');
    for (const proof of proofs) if (!writers.has(proof)) writers.set(proof, commit.process);
    show(key, proofs);
  }

  function show(place: string, proofs: ReadonlySet<string>): void {
    if (proofs.size === 0) shown.delete(place);
    else shown.set(place, proofs);
  }

  function look(passedMs: number): void {
    const all = new Set([...wanted.values()].flatMap((proofs) => [...proofs]));
    const still = new Set<string>();
    for (const [place, proofs] of shown) {
      const counts = place.startsWith(ZONES) ? leads() : leads() && isConnected(place);
      for (const proof of proofs) {
        if (all.has(proof)) continue;
        const key = `${place} ${proof}`;
        still.add(key);
        const ms = (left.get(key) ?? 0) + (counts ? passedMs : 0);
        left.set(key, ms);
        if (ms > PROOF_GONE_MS) violated(32, `${place} still shows ${proof}, which is not wanted`);
      }
    }
    for (const key of left.keys()) if (!still.has(key)) left.delete(key);
  }

  return {
    committed(commit) {
      for (const write of commit.transaction.writes) {
        const { key } = write;
        const value = write.kind === 'put' ? write.value : undefined;
        if (key.startsWith(ORDERS)) {
          if (value === undefined) wanted.delete(key);
          else wanted.set(key, wantedBy(JSON.parse(value) as AcmeOrderRecord));
        }
        if (key.startsWith(ZONES))
          noteZone(commit, key, value === undefined ? new Set() : inZone(JSON.parse(value)));
      }
    },
    applied: (applied) => show(applied.node, onNode(applied)),
    installed: (node) => void shown.delete(node),
    stepped() {
      if (nowMs() < lookMs) return;
      // What passed since the last look is no more than what passes between two.
      const passedMs = Math.min(nowMs() - lastMs, 2 * LOOK_MS);
      [lookMs, lastMs] = [nowMs() + LOOK_MS, nowMs()];
      if (shown.size > 0) look(passedMs);
    },
  };
}

function wantedBy(order: AcmeOrderRecord): ReadonlySet<string> {
  return new Set(
    proofsUp(order).map(({ proof }) =>
      proof.type === 'dns-01' ? textOf(proof.recordName, proof.recordValue) : proof.token,
    ),
  );
}

type Records = readonly { readonly name: string; readonly values: readonly string[] }[];

function inZone({ records }: Pick<ZoneRecord, 'records'>): ReadonlySet<string> {
  return new Set(textsOf(records));
}

function onNode({ snapshot }: AppliedSnapshot): ReadonlySet<string> {
  const { http = [], alpn = [] } = snapshot.edge.proofs ?? {};
  const texts = snapshot.dns.zones.flatMap(({ records }) => textsOf(records));
  return new Set([...texts, ...[...http, ...alpn].map(({ token }) => token)]);
}

function textsOf(records: Records): readonly string[] {
  return records.flatMap(({ name, values }) =>
    name.startsWith(CHALLENGE) ? values.map((value) => textOf(name, value)) : [],
  );
}

function textOf(name: string, value: string): string {
  return `${name} ${value.replaceAll('"', '')}`;
}
