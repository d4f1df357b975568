import { describe, expect, test } from 'vitest';
import { queryBytes } from '../dns.fixture.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { NOW_S, Primary, SECONDARY, transferable, transferPlan } from './primary.fixture.ts';
import {
  checkSignatures,
  KEY,
  type ReadTsig,
  readTsig,
  type SignOptions,
  signed,
  transferQuery,
} from './secondary.fixture.ts';

const [NOTAUTH, FORMERR] = [9, 1];
const [BADSIG, BADKEY, BADTIME, BADTRUNC] = [16, 17, 18, 22];

function askSigned(options: Partial<SignOptions>): {
  readonly rcode: number;
  readonly tsig: ReadTsig | undefined;
  readonly message: Buffer;
  readonly requestMac: Buffer;
} {
  const query = signed(transferQuery('example.com'), { timeS: NOW_S, ...options });
  const [message = Buffer.alloc(12)] = new Primary(transferable()).ask(query.bytes);
  const rcode = message.readUInt16BE(2) & 0xf;
  return { rcode, tsig: readTsig(message), message, requestMac: query.mac };
}

describe('what is wrong with a signature (RFC 8945 §5.2)', () => {
  test.each<{ when: string; options: Partial<SignOptions>; error: number; signs: boolean }>([
    {
      when: 'nobody knows the key',
      options: { key: { ...KEY, name: 'stranger' } },
      error: BADKEY,
      signs: false,
    },
    {
      when: 'the key is for another algorithm',
      options: { key: { ...KEY, algorithm: 'hmac-sha512' } },
      error: BADKEY,
      signs: false,
    },
    {
      when: 'the secret is another',
      options: { key: { ...KEY, secret: Buffer.from('guessed') } },
      error: BADSIG,
      signs: false,
    },
    { when: 'it is too old', options: { timeS: NOW_S - 301 }, error: BADTIME, signs: true },
    { when: 'it is of the future', options: { timeS: NOW_S + 301 }, error: BADTIME, signs: true },
    {
      when: 'it is older than its own fudge allows',
      options: { timeS: NOW_S - 11, fudgeS: 10 },
      error: BADTIME,
      signs: true,
    },
    { when: 'its MAC is cut to half', options: { macBytes: 16 }, error: BADTRUNC, signs: true },
    { when: 'its MAC is cut by a byte', options: { macBytes: 31 }, error: BADTRUNC, signs: true },
  ])('$when: NOTAUTH and error $error', ({ options, error, signs }) => {
    const { rcode, tsig, message, requestMac } = askSigned(options);
    expect(rcode).toBe(NOTAUTH);
    expect(tsig?.error).toBe(error);
    if (signs) checkSignatures([message], { requestMac });
    else expect(tsig?.mac.length).toBe(0);
  });

  test('BADTIME tells our time, and repeats the client’s (§5.2.3)', () => {
    const { tsig } = askSigned({ timeS: NOW_S - 4000, fudgeS: 7 });
    expect([tsig?.timeS, tsig?.fudgeS]).toEqual([NOW_S - 4000, 7]);
    expect(tsig?.other.readUIntBE(0, 6)).toBe(NOW_S);
  });

  test.each([0, 9, 15, 33, 100])('a MAC of %i bytes is no MAC (§5.2.2.1)', (macBytes) => {
    const { rcode, tsig } = askSigned({ macBytes });
    expect([rcode, tsig]).toEqual([FORMERR, undefined]);
  });

  test.each([
    { when: 'at the very edge of its fudge', timeS: NOW_S - 300 },
    { when: 'ahead by the whole fudge', timeS: NOW_S + 300 },
  ])('good: $when', ({ timeS }) => {
    const { rcode, tsig } = askSigned({ timeS });
    expect([rcode, tsig?.error]).toEqual([0, 0]);
  });

  test('a key cut to half and wrong at that is BADSIG, not BADTRUNC: no oracle', () => {
    const key = { ...KEY, secret: Buffer.from('guessed') };
    expect(askSigned({ key, macBytes: 16 }).tsig?.error).toBe(BADSIG);
  });

  test('a forwarder may have given the message another number (§5.1)', () => {
    const query = signed(transferQuery('example.com', { id: 1 }), { timeS: NOW_S });
    query.bytes.writeUInt16BE(2, 0);
    const messages = new Primary(transferable()).ask(query.bytes);
    expect(messages[0]?.readUInt16BE(0)).toBe(2);
    checkSignatures(messages, { requestMac: query.mac });
  });

  test.each(['hmac-sha256', 'hmac-sha384', 'hmac-sha512'])('%s', (algorithm) => {
    const key = { ...KEY, algorithm };
    const secondaries = [{ address: SECONDARY.address, port: 53, key }];
    const primary = new Primary(transferable({ transfer: transferPlan({ secondaries }) }));
    const query = signed(transferQuery('example.com'), { timeS: NOW_S, key });
    checkSignatures(primary.ask(query.bytes), { requestMac: query.mac, key });
  });

  test('names of keys are the same in any case of letters', () => {
    const name = 'Transfer.EXAMPLE';
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    const start = query.bytes.indexOf('\x08transfer\x07example', 0, 'latin1');
    query.bytes.write(name.split('.')[0] ?? '', start + 1, 'latin1');
    query.bytes.write(name.split('.')[1] ?? '', start + 10, 'latin1');
    const messages = new Primary(transferable()).ask(query.bytes);
    checkSignatures(messages, { requestMac: query.mac });
  });
});

describe('where a signature must be (RFC 8945 §5.1)', () => {
  const query = signed(transferQuery('example.com'), { timeS: NOW_S }).bytes;
  const tsig = query.subarray(12 + 17);

  test.each([
    { when: 'there are two', bytes: counted(Buffer.concat([query, tsig]), 2) },
    { when: 'another record follows', bytes: counted(Buffer.concat([query, emptyOpt()]), 2) },
    { when: 'bytes follow that no record has', bytes: Buffer.concat([query, Buffer.of(0)]) },
    { when: 'its class is not ANY', bytes: edited(query, 12 + 17 + 18 + 3, 1) },
    { when: 'its TTL is not 0', bytes: edited(query, 12 + 17 + 18 + 7, 1) },
    { when: 'its MAC is longer than the record', bytes: edited(query, query.length - 39, 255) },
  ])('FORMERR: $when', ({ bytes }) => {
    const [message] = new Primary(transferable()).ask(bytes);
    expect((message?.readUInt16BE(2) ?? 0) & 0xf).toBe(FORMERR);
  });

  test('a response is not answered, signed or not', () => {
    const response = Buffer.from(query);
    response.writeUInt16BE(0x8000, 2);
    expect(new Primary(transferable()).ask(response)).toEqual([]);
  });
});

test('whatever comes, it does not throw, and never hands the zone to a stranger', () => {
  const primary = new Primary(transferable());
  const random = seededRandom(8945);
  const good = [
    signed(transferQuery('example.com'), { timeS: NOW_S }).bytes,
    signed(transferQuery('example.com', { serial: 1 }), { timeS: NOW_S }).bytes,
    signed(queryBytes('example.com', 'SOA'), { timeS: NOW_S }).bytes,
    transferQuery('example.com', { serial: 1 }),
  ];
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.from(good[round % good.length] ?? []);
    const edits = 1 + Math.floor(random() * 4);
    for (let count = 0; count < edits; count += 1) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const end = random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length;
    const transport = random() < 0.5 ? 'udp' : 'tcp';
    for (const message of primary.ask(bytes.subarray(0, end), {
      address: '192.0.2.9',
      transport,
    })) {
      expect(message.readUInt16BE(6)).toBeLessThanOrEqual(2);
    }
    primary.ask(bytes.subarray(0, end), { ...SECONDARY, transport });
  }
});

function counted(bytes: Buffer, additional: number): Buffer {
  bytes.writeUInt16BE(additional, 10);
  return bytes;
}

function edited(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = value;
  return copy;
}

function emptyOpt(): Buffer {
  return Buffer.of(0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0);
}
