import { expect, test } from 'vitest';
import { ERROR, FLAG, FRAME } from '../../http2/frames.ts';
import {
  type Client,
  echo,
  expectStillServing,
  fields,
  listen,
  open,
  request,
  uint32,
} from './http2-client.fixture.ts';

/** What each does, and how the connection ends for it. */
const ATTACKS: readonly {
  readonly when: string;
  readonly code: number;
  readonly act: (client: Client) => void;
}[] = [
  {
    when: 'rapid reset (CVE-2023-44487)',
    code: ERROR.enhanceYourCalm,
    act: (client) =>
      flood(client, (id) => {
        client.get(id, '/');
        client.send(FRAME.rstStream, 0, id, uint32(ERROR.cancel));
      }),
  },
  {
    when: 'rapid reset by an error of ours',
    code: ERROR.enhanceYourCalm,
    act: (client) =>
      flood(client, (id) => {
        client.get(id, '/');
        client.send(FRAME.windowUpdate, 0, id, uint32(0));
      }),
  },
  {
    when: 'CONTINUATION without end (CVE-2024-27316)',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      client.send(FRAME.headers, FLAG.endStream, 1, request('/'));
      for (let index = 0; index < 100; index += 1)
        client.send(FRAME.continuation, 0, 1, fields(['x', 'y']));
    },
  },
  {
    when: 'empty CONTINUATION',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      client.send(FRAME.headers, FLAG.endStream, 1, request('/'));
      for (let index = 0; index < 100; index += 1) client.send(FRAME.continuation, 0, 1);
    },
  },
  {
    when: 'large CONTINUATION',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      client.send(FRAME.headers, FLAG.endStream, 1, request('/'));
      for (let index = 0; index < 2; index += 1)
        client.send(FRAME.continuation, 0, 1, Buffer.alloc(16_000));
    },
  },
  {
    when: 'a flood of PING (CVE-2019-9512)',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, () => client.send(FRAME.ping, 0, 0, Buffer.alloc(8))),
  },
  {
    when: 'a flood of SETTINGS (CVE-2019-9515)',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, () => client.send(FRAME.settings, 0, 0)),
  },
  {
    when: 'a flood of empty DATA (CVE-2019-9518)',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      client.get(1, '/', FLAG.endHeaders);
      flood(client, () => client.send(FRAME.data, 0, 1));
    },
  },
  {
    when: 'a flood of PRIORITY (CVE-2019-9513)',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, (id) => client.send(FRAME.priority, 0, id, Buffer.alloc(5))),
  },
  {
    when: 'a flood of WINDOW_UPDATE',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, () => client.send(FRAME.windowUpdate, 0, 0, uint32(1))),
  },
  {
    when: 'a flood of malformed requests',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, (id) => client.get(id, '')),
  },
  {
    when: 'frames that nobody knows',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, () => client.send(0x42, 0, 0)),
  },
  {
    when: 'a flood of GOAWAY',
    code: ERROR.enhanceYourCalm,
    act: (client) => flood(client, () => client.send(FRAME.goaway, 0, 0, Buffer.alloc(8))),
  },
  {
    when: 'header blocks that grow a thousandfold (HPACK bomb)',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      // One name of 2,000 octets for the table; every two octets behind it name it again.
      const name = Buffer.concat([
        Buffer.of(0x40, 0x7f, 0xd1, 0x0e),
        Buffer.alloc(2000, 'a'),
        Buffer.of(0),
      ]);
      const again = Buffer.alloc(14_000, Buffer.of(0x7e, 0));
      for (let id = 1; id < 400 && !client.socket.destroyed; id += 2)
        client.send(FRAME.headers, 5, id, Buffer.concat([name, again]));
    },
  },
  {
    when: 'a flood of requests with too many headers',
    code: ERROR.enhanceYourCalm,
    act: (client) => {
      const many = fields(...Array.from({ length: 130 }, () => ['x', 'y'] as const));
      flood(client, (id) => client.send(FRAME.headers, 5, id, Buffer.concat([request('/'), many])));
    },
  },
  {
    when: 'a frame that is too large',
    code: ERROR.frameSize,
    act: (client) => client.send(FRAME.data, 0, 1, Buffer.alloc(16_385)),
  },
  {
    when: 'a header block that is broken',
    code: ERROR.compression,
    act: (client) => client.send(FRAME.headers, 5, 1, Buffer.of(0xbe)),
  },
  { when: 'an even stream', code: ERROR.protocol, act: (client) => client.get(2, '/') },
  { when: 'stream 0', code: ERROR.protocol, act: (client) => client.get(0, '/') },
  {
    when: 'DATA for nobody',
    code: ERROR.protocol,
    act: (client) => client.send(FRAME.data, 0, 7, Buffer.alloc(1)),
  },
  {
    when: 'RST_STREAM for nobody',
    code: ERROR.protocol,
    act: (client) => client.send(FRAME.rstStream, 0, 7, uint32(8)),
  },
  {
    when: 'another frame within a header block',
    code: ERROR.protocol,
    act: (client) => {
      client.send(FRAME.headers, FLAG.endStream, 1, request('/'));
      client.send(FRAME.ping, 0, 0, Buffer.alloc(8));
    },
  },
  {
    when: 'CONTINUATION of another stream',
    code: ERROR.protocol,
    act: (client) => {
      client.send(FRAME.headers, FLAG.endStream, 1, request('/'));
      client.send(FRAME.continuation, FLAG.endHeaders, 3);
    },
  },
  {
    when: 'PUSH_PROMISE',
    code: ERROR.protocol,
    act: (client) => client.send(FRAME.pushPromise, 0, 1, uint32(2)),
  },
  {
    when: 'padding longer than the frame',
    code: ERROR.protocol,
    act: (client) => client.send(FRAME.headers, FLAG.padded | 5, 1, Buffer.of(9)),
  },
  {
    when: 'a window over 2^31-1 (RFC 9113 §6.9.1)',
    code: ERROR.flowControl,
    act: (client) => client.send(FRAME.windowUpdate, 0, 0, uint32(0x7fff_ffff)),
  },
  {
    when: 'an initial window over 2^31-1',
    code: ERROR.flowControl,
    act: (client) =>
      client.send(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0x8000_0000)])),
  },
  {
    when: 'SETTINGS without end',
    code: ERROR.enhanceYourCalm,
    act: (client) => client.send(FRAME.settings, 0, 0, Buffer.alloc(6 * 33)),
  },
  {
    when: 'frames smaller than frames may be (RFC 9113 §6.5.2)',
    code: ERROR.protocol,
    act: (client) =>
      client.send(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 5), uint32(16_383)])),
  },
  {
    when: 'a table larger than ours (RFC 7541 §6.3)',
    code: ERROR.compression,
    act: (client) => {
      const update = Buffer.of(0x3f, 0xe2, 0x1f);
      client.send(FRAME.headers, 5, 1, Buffer.concat([update, request('/')]));
    },
  },
  {
    when: 'SETTINGS that are cut off',
    code: ERROR.frameSize,
    act: (client) => client.send(FRAME.settings, 0, 0, Buffer.alloc(5)),
  },
  {
    when: 'PING of another size',
    code: ERROR.frameSize,
    act: (client) => client.send(FRAME.ping, 0, 0, Buffer.alloc(7)),
  },
];

function flood(client: Client, act: (streamId: number) => void): void {
  for (let id = 1; id < 8000 && !client.socket.destroyed; id += 2) act(id);
}

test.each(ATTACKS)('$when ends its connection, and no other', async ({ code, act }) => {
  const { httpsPort } = await listen(echo);
  const client = await open(httpsPort);
  act(client);
  expect(await client.goaway()).toBe(code);
  await expectStillServing(httpsPort);
});
