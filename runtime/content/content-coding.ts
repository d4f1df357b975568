/** How a file can be sent compressed (RFC 9110 §8.4.1; br: RFC 7932, zstd: RFC 8878), best first. */
export const CONTENT_CODINGS = ['br', 'zstd', 'gzip'] as const;
export type ContentCoding = (typeof CONTENT_CODINGS)[number];

/** Smaller files fit into the packets that carry their headers. */
export const COMPRESSED_FROM_BYTES = 256;
/** Larger files are compressed whole in memory nowhere. */
export const COMPRESSED_TO_BYTES = 8 * 1024 * 1024;

/**
 * Whether there may be a compressed form of a file some day: by its content type, and by its size.
 * What is compressed in itself, like images and archives, would only cost time.
 */
export function isCompressible(contentType: string, sizeBytes: number): boolean {
  if (sizeBytes < COMPRESSED_FROM_BYTES || sizeBytes > COMPRESSED_TO_BYTES) return false;
  const semicolon = contentType.indexOf(';');
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return (
    type.startsWith('text/') ||
    type.endsWith('+json') ||
    type.endsWith('+xml') ||
    COMPRESSIBLE_TYPES.has(type)
  );
}

const COMPRESSIBLE_TYPES: ReadonlySet<string> = new Set([
  'application/javascript',
  'application/json',
  'application/vnd.apple.mpegurl',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-ndjson',
  'application/xml',
  'application/yaml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/x-icon',
]);
