import { expect, test } from 'vitest';
import { fakePasswordHasher } from '../../runtime/secret/fake-password-hasher.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { SCENE_NAMESPACE, type Scene, scene } from '../test-scene.ts';
import { accessController } from './controller.ts';

interface Counted {
  readonly at: Scene;
  /** Passwords that were hashed so far. */
  readonly hashed: string[];
  readonly hasher: ReturnType<typeof fakePasswordHasher>;
}

async function start(): Promise<Counted> {
  const at = await scene();
  const hashed: string[] = [];
  const fake = fakePasswordHasher(at.random);
  const hasher = {
    ...fake,
    hash: (password: string) => {
      hashed.push(password);
      return fake.hash(password);
    },
  };
  at.start(accessController({ ...at, hasher }));
  return { at, hashed, hasher };
}

const auth = { secret: 'staff', realm: 'r', paths: ['/*'] };

/** `times`: how often it was written, for each time it is sealed otherwise. */
function sealed(at: Scene, passwords: Readonly<Record<string, string>>, name = 'staff') {
  const data = Object.entries(passwords).map(([key, password]) => {
    const context = secretContext({ namespace: SCENE_NAMESPACE, name, key });
    return [key, at.sealer.seal(password, context)];
  });
  return { data: Object.fromEntries(data) as Record<string, string> };
}

const recordOf = (at: Scene) => at.world.record('access', 'default/blog')?.value;

test('passwords are hashed once, and only their hashes are kept', async () => {
  const { at, hashed, hasher } = await start();
  await at.create('Secret', 'staff', sealed(at, { ann: 'open', bob: 'sesame' }));
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  await at.settle();
  const record = recordOf(at);
  expect(record?.users.map(({ name }) => name)).toEqual(['ann', 'bob']);
  expect(JSON.stringify(record)).not.toMatch(/open|sesame/u);
  expect(await hasher.verify('open', record?.users[0]?.hash ?? '')).toBe(true);
  expect(hashed).toEqual(['open', 'sesame']);
  // Another dom that takes over finds them done.
  const { writer, ...others } = at;
  at.start(accessController({ ...others, writer, hasher }));
  await at.settle();
  expect(hashed).toHaveLength(2);
  await at.end();
});

test('only what was changed is hashed anew, so that no plan changes without need', async () => {
  const { at, hashed } = await start();
  await at.create('Secret', 'staff', sealed(at, { ann: 'open', bob: 'sesame' }));
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  const before = recordOf(at);
  await at.configure('Secret', 'staff', sealed(at, { ann: 'open', bob: 'other', eve: 'new' }));
  const after = recordOf(at);
  expect(hashed).toEqual(['open', 'sesame', 'other', 'new']);
  expect(after?.users[0]).toEqual(before?.users[0]);
  expect(after?.users[1]?.hash).not.toBe(before?.users[1]?.hash);
  await at.configure('Secret', 'staff', sealed(at, { ann: 'open' }));
  expect(recordOf(at)?.users).toEqual([before?.users[0]]);
  await at.end();
});

test('the same password sealed anew keeps its hash', async () => {
  const at = await scene();
  let seals = 0;
  // As a real one: each time it looks otherwise.
  const sealer = {
    seal: (secret: string, context: string) => `${(seals += 1)}:${at.sealer.seal(secret, context)}`,
    open: (text: string, context: string) =>
      at.sealer.open(text.slice(text.indexOf(':') + 1), context),
  };
  const hasher = fakePasswordHasher(at.random);
  const own = { ...at, sealer };
  at.start(accessController({ ...own, hasher }));
  await at.create('Secret', 'staff', sealed(own, { ann: 'open' }));
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  const before = recordOf(at)?.users[0];
  await at.configure('Secret', 'staff', sealed(own, { ann: 'open' }));
  const after = recordOf(at)?.users[0];
  expect(after?.of).not.toBe(before?.of);
  expect(after?.hash).toBe(before?.hash);
  await at.end();
});

test.each([
  {
    when: 'there is no Secret',
    secret: undefined,
    reason: 'SecretNotFound',
    says: 'there is no Secret "staff": until it has a password for each user name, what it guards is closed',
  },
  {
    when: 'it is empty',
    secret: { data: {} },
    reason: 'SecretEmpty',
    says: 'Secret "staff" is empty: until it has',
  },
  {
    when: 'it was sealed with another key',
    secret: { data: { ann: 'nobody knows' } },
    reason: 'SecretLost',
    says: 'write the value again',
  },
])('nobody has access when $when', async ({ secret, reason, says }) => {
  const { at } = await start();
  if (secret !== undefined) await at.create('Secret', 'staff', secret);
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  const record = recordOf(at);
  expect(record).toMatchObject({ users: [], problem: { reason } });
  expect(record?.problem?.message).toContain(says);
  await at.end();
});

test('a password that nobody can send is told, and the others count', async () => {
  const { at } = await start();
  await at.create(
    'Secret',
    'staff',
    sealed(at, { ann: 'open\n', bob: 'sesame', eve: 'x'.repeat(513) }),
  );
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  const record = recordOf(at);
  expect(record?.users.map(({ name }) => name)).toEqual(['bob']);
  expect(record?.problem?.reason).toBe('PasswordUnusable');
  expect(record?.problem?.message).toContain('the password of ann, eve has a control character');
  expect(JSON.stringify(record)).not.toMatch(/open|sesame/u);
  await at.end();
});

test('a Secret that goes takes the access with it', async () => {
  const { at } = await start();
  await at.create('Secret', 'staff', sealed(at, { ann: 'open' }));
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  expect(recordOf(at)?.users).toHaveLength(1);
  await at.remove('Secret', 'staff');
  expect(recordOf(at)).toMatchObject({ users: [], problem: { reason: 'SecretNotFound' } });
  await at.end();
});

test('what a Site asks for no more, and what it left behind, goes', async () => {
  const { at } = await start();
  await at.create('Secret', 'staff', sealed(at, { ann: 'open' }));
  await at.create('Site', 'blog', { hosts: ['a.example.com'], auth });
  await at.configure('Site', 'blog', { auth: undefined });
  expect(recordOf(at)).toBeUndefined();
  await at.configure('Site', 'blog', { auth });
  expect(recordOf(at)?.users).toHaveLength(1);
  await at.remove('Site', 'blog');
  expect(recordOf(at)).toBeUndefined();
  await at.put('access', 'default/gone', { siteUid: 'x', secret: 'staff', users: [] });
  await at.settle();
  expect(at.world.record('access', 'default/gone')).toBeUndefined();
  await at.end();
});
