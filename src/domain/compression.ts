/**
 * Companions that are packed on their way. What a key holds can be told from the key: one that ends in `.gz` or `.zst`
 * while its path does not holds the packed file; files that end like this themselves are never packed.
 */
export type Encoding = 'gzip' | 'zstd';

const endings: Readonly<Record<Encoding, string>> = { gzip: '.gz', zstd: '.zst' };

/** Smaller ones gain nothing worth unpacking for. */
const packedBytesMin = 1024;

/** Packed already, or nothing that packing makes smaller. */
const packed =
  /\.(gz|tgz|zst|tzst|xz|txz|bz2|tbz2?|lz4|lzma|br|sz|snappy|7z|rar|zip|whl|jar|npz|parquet|orc|avro|safetensors|png|jpe?g|gif|webp|avif|heic|mp3|m4a|aac|ogg|opus|flac|mp4|m4v|mkv|mov|webm|avi|woff2?|pdf|docx|xlsx|pptx|deb|rpm)$/i;

/** How a file that ended is packed; undefined: it goes as it is. */
export function encodingFor(
  path: string,
  sizeBytes: number,
  wanted: Encoding | 'none',
): Encoding | undefined {
  return wanted === 'none' || sizeBytes < packedBytesMin || packed.test(path) ? undefined : wanted;
}

/** What the name of a packed file ends in. */
export function endingOf(encoding: Encoding): string {
  return endings[encoding];
}

/** Within S3's limit when `key` is at most `keyBytesMax` less `endingBytesMax`. */
export function packedKey(key: string, encoding: Encoding): string {
  return `${key}${endings[encoding]}`;
}

export const endingBytesMax = 4;

/** How the object at a key of ours holds the file that lies at `path`. */
export function encodingOf(path: string, key: string): Encoding | undefined {
  if (packed.test(path)) return undefined;
  if (key.endsWith(endings.gzip)) return 'gzip';
  return key.endsWith(endings.zstd) ? 'zstd' : undefined;
}

export function contentTypeOfEncoding(encoding: Encoding): string {
  return `application/${encoding}`;
}
