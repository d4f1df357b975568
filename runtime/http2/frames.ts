/** RFC 9113 §6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** RFC 9113 §7. */
export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

export const FRAME_HEAD_BYTES = 9;
/** What a frame holds at most when nobody says more (RFC 9113 §4.2); we never do. */
export const FRAME_BYTES_MAX = 16_384;
/** RFC 9113 §6.9.2. */
export const WINDOW_BYTES = 65_535;
export const WINDOW_BYTES_MAX = 2_147_483_647;
/** RFC 9113 §3.4. */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;
const SETTING_BYTES = 6;
/** A peer has six to say; the rest would be noise. */
const SETTINGS_MAX = 32;

/** What a peer's SETTINGS say that matters to a server; left out: not said. */
export interface PeerSettings {
  readonly headerTableSize?: number;
  readonly initialWindowSize?: number;
  readonly maxFrameSize?: number;
}

/** RFC 9113 §6.5.2; a number is the code of the connection error that they are. */
export function parseSettings(payload: Buffer): PeerSettings | ErrorCode {
  if (payload.length % SETTING_BYTES !== 0) return ERROR.frameSize;
  if (payload.length > SETTINGS_MAX * SETTING_BYTES) return ERROR.enhanceYourCalm;
  let settings: PeerSettings = {};
  for (let at = 0; at < payload.length; at += SETTING_BYTES) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case SETTING.headerTableSize:
        settings = { ...settings, headerTableSize: value };
        break;
      case SETTING.enablePush:
        if (value > 1) return ERROR.protocol;
        break;
      case SETTING.initialWindowSize:
        if (value > WINDOW_BYTES_MAX) return ERROR.flowControl;
        settings = { ...settings, initialWindowSize: value };
        break;
      case SETTING.maxFrameSize:
        if (value < FRAME_BYTES_MAX || value > 16_777_215) return ERROR.protocol;
        settings = { ...settings, maxFrameSize: value };
        break;
    }
  }
  return settings;
}

/** What a server says first. */
export function serverSettings(settings: {
  readonly streamsMax: number;
  readonly headerBytesMax: number;
}): Buffer {
  const payload = Buffer.alloc(2 * SETTING_BYTES);
  payload.writeUInt16BE(SETTING.maxConcurrentStreams, 0);
  payload.writeUInt32BE(settings.streamsMax, 2);
  payload.writeUInt16BE(SETTING.maxHeaderListSize, SETTING_BYTES);
  payload.writeUInt32BE(settings.headerBytesMax, SETTING_BYTES + 2);
  return payload;
}

/** The block in a HEADERS frame, without padding and priority; undefined: it is broken. */
export function blockOf(payload: Buffer, flags: number): Buffer | undefined {
  const content = unpadded(payload, flags);
  if (content === undefined || (flags & FLAG.priority) === 0) return content;
  return content.length < 5 ? undefined : content.subarray(5);
}

/** RFC 9113 §6.1; undefined: the padding is longer than the frame. */
function unpadded(payload: Buffer, flags: number): Buffer | undefined {
  if ((flags & FLAG.padded) === 0) return payload;
  const padBytes = payload[0];
  if (padBytes === undefined || padBytes >= payload.length) return undefined;
  return payload.subarray(1, payload.length - padBytes);
}
