import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { prometheusMetrics } from '../runtime/node/metrics.ts';
import { showTraffic } from '../runtime/traffic/traffic-metrics.ts';
import { showCertificates } from './certificate-metrics.ts';

const ROOT = join(import.meta.dirname, '..');
const RULES = join(ROOT, 'docs/alerts');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly mend: string };
}

/** Those of certificates as they are collected, those of loops as their source names them. */
async function knownMetrics(): Promise<ReadonlySet<string>> {
  const metrics = prometheusMetrics({ process: 'left out' });
  showCertificates(metrics, () => undefined);
  showTraffic(metrics, 'b8s_site', () => []);
  const collected = await metrics.render();
  const loop = readFileSync(join(ROOT, 'runtime/control/control-loop.ts'), 'utf8');
  return new Set(`${collected}\n${loop}`.match(NAME));
}

const NAME = /\bb8s_[a-z_]+/g;

test('every alert asks for metrics that there are, and says how bad it is and the mend', async () => {
  const known = await knownMetrics();
  expect(known).toContain('b8s_certificate_ready');
  for (const file of readdirSync(RULES)) {
    const { groups } = parse(readFileSync(join(RULES, file), 'utf8')) as {
      readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
    };
    for (const { alert, expr, labels, annotations, ...rule } of groups.flatMap(
      ({ rules }) => rules,
    )) {
      const asked = expr.match(NAME) ?? [];
      expect({ alert, asked: asked.length }).not.toEqual({ alert, asked: 0 });
      for (const name of asked)
        expect({ alert, isKnown: known.has(name), name }).toEqual({ alert, isKnown: true, name });
      expect(rule.for).toMatch(/^\d+[smh]$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary).not.toBe('');
      expect(annotations.mend).toMatch(/b8sctl/);
    }
  }
});

test('docs/certificates.md has each metric of certificates', async () => {
  const text = readFileSync(join(ROOT, 'docs/certificates.md'), 'utf8');
  const documented = new Set(text.match(NAME));
  const known = await knownMetrics();
  const ofCertificates = [...known].filter((name) => name.startsWith('b8s_certificate_'));
  expect(ofCertificates.filter((name) => !documented.has(name))).toEqual([]);
  expect([...documented].filter((name) => !known.has(name))).toEqual([]);
});
