import { expect, test } from 'vitest';
import { kinds } from '../../api/kinds.ts';
import { testCli } from '../testing/test-cli.ts';

const cli = testCli();
const names = async (line: string): Promise<readonly string[]> =>
  (await cli.b8sctl(line)).out.split('\n').filter(Boolean);

test('names for scripts, as get takes them', async () => {
  const all = await names('api-resources -o name');
  expect(all).toHaveLength(kinds.length);
  for (const name of all) expect((await cli.b8sctl(`get ${name}`)).code).toBe(0);
});

test('only those in namespaces, or only the others', async () => {
  const [inside, outside] = [
    await names('api-resources -o name --namespaced'),
    await names('api-resources -o name --namespaced=false'),
  ];
  expect(outside).toEqual(['issuers.b8s.dev', 'nodes.b8s.dev']);
  expect([...inside, ...outside].toSorted()).toEqual(await names('api-resources -o name'));
});

test('a table without its first line, or with what each kind is for', async () => {
  const [first] = await names('api-resources --no-headers');
  expect(first).toMatch(/^certificates +cert +b8s\.dev\/v1 +true +Certificate$/);
  expect((await names('api-resources -o wide'))[0]).toMatch(/KIND +DESCRIPTION$/);
});
