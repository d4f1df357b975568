import { expect, test } from 'vitest';
import { HpackDecoder } from './decoder.ts';
import { encodeBlock } from './encoder.ts';
import { decodeHuffman } from './huffman.ts';

const LIMITS = { listBytesMax: 16_384 };

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/gu, ''), 'hex');
}

function pairs(decoder: HpackDecoder, block: Uint8Array): unknown {
  const outcome = decoder.decode(block);
  return outcome.kind === 'fields'
    ? outcome.fields.map(({ name, value }) => `${name}: ${value}`)
    : outcome.kind;
}

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    ':authority: www.example.com',
    'cache-control: no-cache',
  ],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];

test.each([
  {
    when: 'RFC 7541, C.3: literals',
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
  },
  {
    when: 'RFC 7541, C.4: Huffman codes',
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  },
])('$when', ({ blocks }) => {
  const decoder = new HpackDecoder(LIMITS);
  expect(blocks.map((block) => pairs(decoder, hex(block)))).toEqual(REQUESTS);
});

test.each([
  {
    when: 'RFC 7541, C.2.1: kept',
    block: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
    field: 'custom-key: custom-header',
  },
  {
    when: 'RFC 7541, C.2.2: not kept',
    block: '040c 2f73 616d 706c 652f 7061 7468',
    field: ':path: /sample/path',
  },
  {
    when: 'RFC 7541, C.2.3: never kept',
    block: '1008 7061 7373 776f 7264 0673 6563 7265 74',
    field: 'password: secret',
  },
])('$when', ({ block, field }) => {
  expect(pairs(new HpackDecoder(LIMITS), hex(block))).toEqual([field]);
});

test('RFC 7541, C.6: what is evicted can no longer be named', () => {
  const decoder = new HpackDecoder(LIMITS);
  const resize = hex('3fe101'); // 256
  const first = hex(
    '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
  );
  expect(pairs(decoder, Buffer.concat([resize, first]))).toEqual([
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ]);
  expect(pairs(decoder, hex('4883 640e ffc1 c0bf'))).toEqual([
    ':status: 307',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ]);
  // Four entries are there: 62 to 65.
  expect(pairs(decoder, hex('c1'))).toEqual(['cache-control: private']);
  expect(pairs(decoder, hex('c2'))).toBe('broken');
});

test.each([
  { when: 'index 0', block: '80' },
  { when: 'an index that nobody has', block: 'be' },
  { when: 'a number without an end', block: 'ffffffffffffffffffff' },
  { when: 'a number that is cut off', block: 'ff' },
  { when: 'a string longer than the block', block: '0005 6162' },
  { when: 'no value', block: '0001 61' },
  { when: 'a table larger than was allowed', block: '3fe21f' },
  { when: 'a change of the table behind a field', block: '82 20' },
  { when: 'padding of zeros (RFC 7541 §5.2)', block: '0001 61 8118' },
  { when: 'padding of a whole byte', block: '0001 61 82 1fff' },
  { when: 'EOS', block: '0001 61 84 ffffffff' },
])('broken: $when', ({ block }) => {
  expect(pairs(new HpackDecoder(LIMITS), hex(block))).toBe('broken');
});

test('a bomb is walked through, not kept', () => {
  const decoder = new HpackDecoder(LIMITS);
  const large = Buffer.concat([hex('4001 61 7f e11d'), Buffer.alloc(3936, 'x')]);
  expect(decoder.decode(large).kind).toBe('fields');
  expect(pairs(decoder, Buffer.alloc(16_000, 0xbe))).toBe('too large');
  expect(pairs(decoder, hex('82'))).toEqual([':method: GET']);
});

test('every byte has its Huffman code, and no bytes throw', () => {
  // From RFC 7541, Appendix B: the longest and the rarest.
  expect(decodeHuffman(hex('fffffff3'), 0, 4)).toBe('\n');
  expect(decodeHuffman(hex('ffc7'), 0, 2)).toBe('\0');
  let seed = 7;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.alloc(12);
    for (let at = 0; at < bytes.length; at += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      bytes[at] = seed >> 16;
    }
    decodeHuffman(bytes, 0, bytes.length);
    new HpackDecoder(LIMITS).decode(bytes);
  }
});

test('what is encoded is decoded to the same', () => {
  const headers = [
    ['content-type', 'text/html;charset=utf-8'],
    ['x-long', 'y'.repeat(300)],
    ['b8s-node', 'london'],
  ] as const;
  for (const status of [200, 404, 421]) {
    expect(pairs(new HpackDecoder(LIMITS), encodeBlock(status, headers))).toEqual([
      `:status: ${status}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
    ]);
  }
  expect(() => encodeBlock(200, [['a', 'b\r\nc: d']])).toThrow(/header a cannot be sent/u);
});
