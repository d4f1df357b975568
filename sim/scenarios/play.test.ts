import { expect, test } from 'vitest';
import { guarded } from '../engine/guard.ts';
import { geo } from '../run/geo.fixture.ts';
import { parseScenario } from './parse.ts';
import { rehearseScenario } from './rehearse.ts';

const BEGIN = `title: A site
why: To see how a play fails.
topology:
  nodes:
    london: { place: [51.51, -0.13] }
    tokyo: { place: [35.68, 139.69] }
steps:
  - apply:
      - { kind: Zone, metadata: { name: example-test }, spec: { origin: example.test } }
      - { kind: Site, metadata: { name: blog }, spec: { hosts: [blog.example.test] } }
  - publish: { site: blog, version: 1 }
  - expect: { object: Site/blog, is: ready }
  - expect: { object: Zone/example-test, is: ready }
`;

async function failureOf(...steps: readonly string[]): Promise<string> {
  const text = `${BEGIN}${steps.map((step) => `  ${step}\n`).join('')}`;
  const scenario = parseScenario(text, 'test');
  return guarded(() => rehearseScenario(scenario, { geo, seed: 1 })).then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

test.each([
  {
    when: 'an expectation does not come true',
    steps: ['- expect: { site: blog, serves: 2, within: 3s }'],
    says: /^test\.yaml:14 expect:\{site:blog,.*: not within 3 s: london serves 1 of blog$/,
  },
  {
    when: 'an object is not as expected',
    steps: ['- expect: { object: Node/tokyo, is: not ready, within: 1s }'],
    says: /^test\.yaml:14 .*: not within 1 s: Ready is True, NodeConnected: /,
  },
  {
    when: 'b8sctl refuses',
    steps: ['- rollback: blog'],
    says: /^test\.yaml:14 rollback:blog: b8sctl rollout undo site\/blog: error: no earlier release/,
  },
  {
    when: 'what is to be refused is accepted',
    steps: [
      '- apply: { kind: Zone, metadata: { name: other }, spec: { origin: other.test } }',
      '  refused: nonsense',
    ],
    says: /^test\.yaml:14 .*: it was accepted$/,
  },
  {
    when: 'an upload is over before it could be interrupted',
    steps: ['- publish: { site: blog, version: 1 }', '  interrupted: { kill: dom, afterBlobs: 5 }'],
    says: /^test\.yaml:14 .*: dom never got so many blobs$/,
  },
  {
    when: 'the dead are killed',
    steps: ['- kill: tokyo', '- kill: tokyo'],
    says: /^test\.yaml:15 kill:tokyo: tokyo is down, which cannot become down here$/,
  },
  {
    when: 'visitors get no address any more',
    steps: ['- visit: blog', '- delete: Zone/example-test', '- pass: 2s'],
    says: /^visitors saw failures:\n {2}\w+ answers REFUSED to \w+/,
  },
  {
    when: 'visitors get no page any more',
    steps: ['- visit: blog', '- delete: Site/blog', '- pass: 2s'],
    says: /visitors saw failures:\n(.*\n)* {2}\w+ serves nothing of blog/,
  },
])('a play fails when $when', async ({ steps, says }) => {
  expect(await failureOf(...steps)).toMatch(says);
});
