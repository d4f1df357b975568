import { expect, test } from 'vitest';
import { createSecrets } from '../../runtime/secret/secrets.ts';
import { createSealer } from '../identity/sealer.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from '../test-scene.ts';

const REFERENCE = { kind: 'Secret', namespace: 'default', name: 'token' };

function secret(data: Record<string, string>): object {
  return { apiVersion: 'b8s.dev/v1', kind: 'Secret', metadata: { name: 'token' }, spec: { data } };
}

/** All that the store has ever been given, as text. */
async function storedText(scene: DomScene): Promise<string> {
  const { items } = await scene.store.list('/', { limit: 1000 });
  return items.map(({ key, value }) => `${key} ${value}`).join('\n');
}

function readBack({ term }: DomScene, key: string): string | undefined {
  const sealer = createSealer({
    key: new Uint8Array(32),
    random: { bytes: () => new Uint8Array(12) } as never,
  });
  return createSecrets({ world: term.mirror, sealer }).read('default/token', key);
}

test('a value is sealed in the store and in history, and read by dom alone (INV-33)', async () => {
  const scene = await domScene();
  const shown = await scene.apply(secret({ password: 'open sesame', user: 'ali' }));
  expect(shown.spec).toEqual({ data: { password: '(sealed)', user: '(sealed)' } });
  expect(await storedText(scene)).not.toContain('open sesame');
  await scene.clock.advance(100);
  expect(readBack(scene, 'password')).toBe('open sesame');
  expect(readBack(scene, 'nothing')).toBeUndefined();
  scene.stop();
});

test('no way to ask shows it: get, list, watch, history, an earlier version, a deletion', async () => {
  const scene = await domScene();
  const { api } = scene.term;
  await scene.apply(secret({ password: 'open sesame' }));
  await scene.apply(secret({ password: 'close sesame' }));
  await scene.clock.advance(100);
  const list = {
    kind: 'Secret',
    namespace: '',
    labelSelector: '',
    revision: 0n,
    limit: 0,
    continue: '',
  };
  const watching = new AbortController();
  const watched: unknown[] = [];
  const watch = { kind: 'Secret', namespace: '', name: '', labelSelector: '', afterRevision: 0n };
  for await (const { type, objectJson } of api.watch(watch, VIEWER, watching.signal)) {
    watched.push(objectJson);
    if (type === 'synced') watching.abort();
  }
  const answers = [
    await api.get({ reference: REFERENCE, revision: 0n }, VIEWER),
    await api.list(list, VIEWER),
    (await api.history({ reference: REFERENCE }, VIEWER)).records.map(({ specJson }) => specJson),
    watched,
    await api.delete({ reference: REFERENCE, uid: '', command: '', dryRun: true }, ADMIN),
  ];
  for (const answer of answers) {
    const text = JSON.stringify(answer, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(text).toContain('(sealed)');
    expect(text).not.toMatch(/sesame|v1\./);
  }
  scene.stop();
});

test('the same values again change nothing; what is shown may be written back', async () => {
  const scene = await domScene();
  const first = await scene.apply(secret({ password: 'open sesame', user: 'ali' }));
  const again = await scene.apply(secret({ password: 'open sesame', user: 'ali' }));
  expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  const edited = { ...first, spec: { data: { password: '(sealed)', user: 'baba' } } };
  const how = { manager: 'b8sctl', command: 'edit', dryRun: false };
  await scene.term.api.update({ objectJson: JSON.stringify(edited), ...how }, ADMIN);
  await scene.clock.advance(100);
  expect(readBack(scene, 'password')).toBe('open sesame');
  expect(readBack(scene, 'user')).toBe('baba');
  scene.stop();
});

test('a value that was sealed with a lost key is replaced, which is said; others are kept', async () => {
  const scene = await domScene();
  await scene.apply(secret({ password: 'open sesame', user: 'ali' }));
  const [item] = (await scene.store.list('/b8s/secrets/', { limit: 2 })).items;
  if (item === undefined) throw new Error('no Secret');
  const lost = JSON.parse(item.value) as { spec: { data: Record<string, string> } };
  lost.spec.data = { ...lost.spec.data, password: 'v1.c29tZXRoaW5nIGVsc2U' };
  const put = { kind: 'put', key: item.key, value: JSON.stringify(lost) } as const;
  await scene.store.commit({ guards: [], writes: [put] });
  await scene.clock.advance(100);
  expect(() => readBack(scene, 'password')).toThrow(
    /Secret "default\/token": password .* another seal key .*write the value again/,
  );
  // Whoever changes one value writes the others back as they were shown.
  const how = { manager: 'b8sctl', command: 'apply', dryRun: false, forceConflicts: false };
  const apply = (data: Record<string, string>) =>
    scene.term.api.apply({ objectJson: JSON.stringify(secret(data)), ...how }, ADMIN);
  const kept = await apply({ password: '(sealed)', user: 'baba' });
  expect(kept.warnings).toEqual([]);
  const { warnings } = await apply({ password: 'close sesame', user: '(sealed)' });
  expect(warnings).toEqual([expect.stringContaining('spec.data.password: what was there')]);
  await scene.clock.advance(100);
  expect([readBack(scene, 'password'), readBack(scene, 'user')]).toEqual(['close sesame', 'baba']);
  scene.stop();
});

test.each([
  {
    when: 'a placeholder has nothing behind it',
    data: { x: '(sealed)' },
    says: 'write the value itself',
  },
  {
    when: 'a value is too long',
    data: { x: 'a'.repeat(65_537) },
    says: 'spec.data.x: is over 65536 bytes',
  },
  { when: 'a value is empty', data: { x: '' }, says: 'spec.data.x is empty' },
  { when: 'a name cannot be a file name', data: { 'a/b': 'c' }, says: 'must be letters' },
])('refuses it when $when, and changes nothing', async ({ data, says }) => {
  const scene = await domScene();
  await expect(scene.apply(secret(data as Record<string, string>))).rejects.toThrow(says);
  expect(await storedText(scene)).not.toContain('/secrets/');
  scene.stop();
});
