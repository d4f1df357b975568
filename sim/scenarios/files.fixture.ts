import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseScenario } from './parse.ts';
import type { Scenario } from './scenario.ts';

const FOLDER = join(import.meta.dirname, 'plays');

/** Every scenario, sorted by name. */
export function allScenarios(): readonly Scenario[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readScenario(file.slice(0, -'.yaml'.length)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Throws a `ScenarioError` for one that cannot be read. */
export function readScenario(name: string): Scenario {
  return parseScenario(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8'), name);
}

/** Where the state is kept that a scenario ends in, in every world. */
export function observedFile({ name }: Scenario): string {
  return join(FOLDER, `${name}.observed.txt`);
}

/** That state; empty: it was never kept. */
export function readObserved(scenario: Scenario): string {
  try {
    return readFileSync(observedFile(scenario), 'utf8');
  } catch {
    return '';
  }
}
