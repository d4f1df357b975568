import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import { REPOSITORY_REASONS } from '../../api/repository-reasons.ts';
import { nextStep } from './next-step.ts';

const GITOPS = readFileSync(join(import.meta.dirname, '../../docs/gitops.md'), 'utf8');
const infra = {
  ...{ apiVersion: 'b8s.dev/v1', kind: 'Repository' },
  metadata: { name: 'infra', namespace: 'default' },
} as unknown as Resource;

const stepFor = (reason: string, type = 'Ready'): string | undefined =>
  nextStep(infra, { type, status: 'False', reason, message: '', lastTransitionTime: '' });

test.each(REPOSITORY_REASONS.filter((reason) => reason !== 'Applied'))(
  'somebody who reads %s is told what to do',
  (reason) => {
    expect(stepFor(reason)).toMatch(/./);
    expect(stepFor(reason)).not.toContain('NAME');
  },
);

test.each(REPOSITORY_REASONS)('the docs say what %s means', (reason) => {
  expect(GITOPS.split('## Conditions of a Repository')[1]).toContain(`\`${reason}\``);
});

test('of what is well, of other conditions, and of words that no list has, nothing is said', () => {
  expect(stepFor('Applied')).toBeUndefined();
  expect(stepFor('Invalid', 'Stalled')).toBeUndefined();
  expect(stepFor('constructor')).toBeUndefined();
});
