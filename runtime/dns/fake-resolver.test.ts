import { fakeResolver } from './fake-resolver.ts';
import { resolverCases } from './resolver.case.ts';

resolverCases(async ({ records, failing, hanging }) => {
  const resolver = fakeResolver();
  const targets = new Map(
    records.filter(({ type }) => type === 'CNAME').map(({ name, value }) => [value, name]),
  );
  for (const { name, type, ttlS } of records) {
    if (type === 'CNAME') continue;
    const same = records.filter((record) => record.name === name && record.type === type);
    const answer = { addresses: same.map(({ value }) => value), ttlS };
    for (const owner of [name, targets.get(name)]) {
      if (owner !== undefined) resolver.set(owner, type, answer);
    }
  }
  for (const name of failing) resolver.set(name, 'A', 'fails');
  for (const name of hanging) resolver.set(name, 'A', 'hangs');
  return { resolver, close: async () => undefined };
});
