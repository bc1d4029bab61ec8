export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string;
  readonly warnings: readonly string[];
  /** Where a character of the text lies in the file, in bytes. */
  readonly offsetOf: (at: number) => number;
}

/** Bytes as text: UTF-8 with replacement, UTF-16 where a byte order mark says so. */
export function decodeText(bytes: Buffer): DecodedText {
  const wide =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bigEndian(bytes) ? 'utf-16be' : undefined;
  if (wide) {
    const { text, warnings } = decodeAs(wide, bytes.subarray(2));
    return { text, warnings, offsetOf: (at) => Math.min(2 + 2 * at, bytes.length) };
  }
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const { text, warnings } = decodeAs('utf-8', bytes.subarray(start));
  // Exact unless bytes were replaced before that place; then it is still within the file.
  const offsetOf = (at: number) => Math.min(start + Buffer.byteLength(text.slice(0, at)), bytes.length);
  return { text, warnings, offsetOf };
}

function bigEndian(bytes: Buffer): boolean {
  return bytes[0] === 0xfe && bytes[1] === 0xff;
}

function decodeAs(encoding: string, bytes: Buffer): { text: string; warnings: string[] } {
  try {
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes), warnings: [] };
  } catch {
    // reason: damage in one place is no reason to lose the rest
    const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
    return { text, warnings: [`bytes that are not ${encoding.toUpperCase()} were replaced`] };
  }
}

/** What Git leaves in the place of a large file that was not fetched. */
export function isLfsPointer(bytes: Buffer): boolean {
  return bytes.subarray(0, 42).toString('latin1') === 'version https://git-lfs.github.com/spec/v1';
}
