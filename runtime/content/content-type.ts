/** For what the table does not know: browsers offer to save it. */
export const CONTENT_TYPE_DEFAULT = 'application/octet-stream';

/**
 * The media type of a file, by its extension: `text/html;charset=utf-8`. Without spaces, so that
 * it is one word of a manifest line. Everything textual is taken to be UTF-8.
 */
export function contentTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  if (dot < 0) return CONTENT_TYPE_DEFAULT;
  const extension = name.slice(dot + 1).toLowerCase();
  return TYPE_BY_EXTENSION.get(extension) ?? CONTENT_TYPE_DEFAULT;
}

const TEXT: Readonly<Record<string, string>> = {
  'application/atom+xml': 'atom',
  'application/rss+xml': 'rss',
  'application/xhtml+xml': 'xhtml',
  'application/xml': 'xml xsl xslt',
  'image/svg+xml': 'svg',
  'text/calendar': 'ics',
  'text/css': 'css',
  'text/csv': 'csv',
  'text/html': 'html htm',
  'text/javascript': 'js mjs cjs',
  'text/markdown': 'md markdown',
  'text/plain': 'txt text log',
  'text/tab-separated-values': 'tsv',
  'text/vcard': 'vcf',
  'text/vtt': 'vtt',
};

/** JSON is UTF-8 by definition (RFC 8259 §8.1) and its types define no charset parameter. */
const BINARY: Readonly<Record<string, string>> = {
  'application/epub+zip': 'epub',
  'application/geo+json': 'geojson',
  'application/gzip': 'gz tgz',
  'application/json': 'json map',
  'application/ld+json': 'jsonld',
  'application/manifest+json': 'webmanifest',
  'application/pdf': 'pdf',
  'application/vnd.ms-fontobject': 'eot',
  'application/wasm': 'wasm',
  'application/x-7z-compressed': '7z',
  'application/x-bzip2': 'bz2',
  'application/x-tar': 'tar',
  'application/x-xz': 'xz',
  'application/zip': 'zip',
  'application/zstd': 'zst',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'audio/mp4': 'm4a',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'oga ogg opus',
  'audio/wav': 'wav',
  'font/otf': 'otf',
  'font/ttf': 'ttf',
  'font/woff': 'woff',
  'font/woff2': 'woff2',
  'image/apng': 'apng',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
  'image/gif': 'gif',
  'image/jpeg': 'jpg jpeg',
  'image/jxl': 'jxl',
  'image/png': 'png',
  'image/tiff': 'tif tiff',
  'image/webp': 'webp',
  'image/x-icon': 'ico',
  'video/mp2t': 'ts',
  'video/mp4': 'mp4 m4v',
  'video/mpeg': 'mpeg mpg',
  'video/ogg': 'ogv',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'application/vnd.apple.mpegurl': 'm3u8',
};

const TYPE_BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ...byExtension(TEXT, ';charset=utf-8'),
  ...byExtension(BINARY, ''),
]);

function byExtension(
  types: Readonly<Record<string, string>>,
  suffix: string,
): readonly (readonly [string, string])[] {
  return Object.entries(types).flatMap(([type, extensions]) =>
    extensions.split(' ').map((extension) => [extension, type + suffix] as const),
  );
}
