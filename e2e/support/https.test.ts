import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { http2Browser } from './https.ts';
import { freePorts } from './ports.ts';

test('a connection that fails is one failure, which the caller gets', async () => {
  const others: unknown[] = [];
  const onOther = (error: unknown): void => void others.push(error);
  process.on('unhandledRejection', onOther);
  const [port = 0] = await freePorts(1);
  const visitor = http2Browser('nobody.test', '', { keepAlive: true });
  try {
    await expect(visitor.get({ address: '127.0.0.1', port }, '/')).rejects.toThrow('ECONNREFUSED');
    await sleep(100);
    expect(others).toEqual([]);
  } finally {
    visitor.close();
    process.off('unhandledRejection', onOther);
  }
});
