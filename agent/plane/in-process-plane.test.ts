import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import { createInProcessPlane } from './in-process-plane.ts';
import { planeCases } from './plane.case.ts';

planeCases('a plane in this thread', async () => {
  const disk = memoryDisk();
  const plane = createInProcessPlane({ disk, nodeName: 'london' });
  const headers = {};
  return {
    plane,
    disk,
    certificate: { names: ['blog.test'], fingerprint: 'f', chainPem: '', keyPem: '' },
    get: async (path, host = 'blog.test') =>
      read(await plane.request({ method: 'GET', path, host, headers, secure: true })),
    getPlain: async (path, host) =>
      read(await plane.request({ method: 'GET', path, host, headers, secure: false })),
    query: async (message) =>
      plane.resolve(message, { address: '203.0.113.1', transport: 'udp' }, 0),
    close: () => plane.close(),
  };
});

async function read({ status, body = '' }: HttpAnswer): Promise<{ status: number; text: string }> {
  if (typeof body === 'string') return { status, text: body };
  const pieces: Uint8Array[] = [];
  if (body instanceof Uint8Array) pieces.push(body);
  // A piece is there only until the next one.
  else for await (const piece of body) pieces.push(Uint8Array.from(piece));
  return { status, text: Buffer.concat(pieces).toString() };
}
