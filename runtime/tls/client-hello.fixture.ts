/** For tests: a ClientHello as a client sends it, in records of at most `fragmentBytes`. */
export function testClientHello(
  given: {
    readonly serverName?: string;
    readonly protocols?: readonly string[];
    /** Beside these, by type. */
    readonly extensions?: readonly (readonly [type: number, data: Uint8Array])[];
    readonly fragmentBytes?: number;
  } = {},
): Buffer {
  const { serverName, protocols, fragmentBytes = 16_384 } = given;
  const name = Buffer.from(serverName ?? '');
  const list = (protocols ?? []).map((each) => sized(1, Buffer.from(each, 'latin1')));
  const extensions = [
    ...(given.extensions ?? []),
    ...(serverName === undefined
      ? []
      : [[0, sized(2, Buffer.concat([Buffer.of(0), sized(2, name)]))] as const]),
    ...(protocols === undefined ? [] : [[16, sized(2, Buffer.concat(list))] as const]),
  ];
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 9),
    sized(1, Buffer.alloc(32, 8)),
    sized(2, Buffer.of(0x13, 0x01, 0x0a, 0x0a)),
    sized(1, Buffer.of(0)),
    sized(
      2,
      Buffer.concat(extensions.map(([type, data]) => Buffer.concat([u16(type), sized(2, data)]))),
    ),
  ]);
  return inRecords(Buffer.concat([Buffer.of(1), sized(3, body)]), fragmentBytes);
}

/** Handshake records that hold these bytes. */
export function inRecords(message: Uint8Array, fragmentBytes: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += fragmentBytes) {
    const fragment = message.subarray(at, at + fragmentBytes);
    records.push(Buffer.of(22, 3, 1), sized(2, fragment));
  }
  return Buffer.concat(records);
}

function u16(number: number): Buffer {
  return Buffer.of(number >> 8, number & 0xff);
}

/** With its length before it, in that many bytes. */
function sized(lengthBytes: 1 | 2 | 3, content: Uint8Array): Buffer {
  const head = Buffer.alloc(lengthBytes);
  head.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([head, content]);
}
