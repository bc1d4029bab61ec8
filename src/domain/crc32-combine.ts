/**
 * The CRC-32 of bytes from those of its pieces, without the bytes: appending n bytes multiplies what came before by
 * x^(8n), modulo the polynomial of ISO-HDLC, reflected as zlib keeps it. The method is zlib's crc32_combine.
 */
const polynomial = 0xedb88320;
const one = 0x80000000;

/** x^(2^n) for n = 0 to 31; from there it starts again, because the polynomial is primitive. */
const powers = powersOfX();

/** The checksum of `first` followed by `secondBytes` bytes that have the checksum `second`. */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(shiftBy(secondBytes), first) ^ second) >>> 0;
}

export interface SummedPiece {
  readonly sizeBytes: number;
  /** As S3 writes it. */
  readonly crc32: string;
}

/** The checksum of all pieces one after the other. */
export function combinePieces(pieces: Iterable<SummedPiece>): string {
  let crc = 0;
  for (const piece of pieces) crc = combineCrc32(crc, parseCrc32(piece.crc32), piece.sizeBytes);
  return formatCrc32(crc);
}

/** As S3 writes it: base64 of 4 bytes, big-endian. */
export function formatCrc32(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString('base64');
}

function parseCrc32(text: string): number {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 4) throw new Error(`reading the CRC-32 ${JSON.stringify(text)}: expected 4 bytes`);
  return bytes.readUInt32BE();
}

function powersOfX(): readonly number[] {
  const found: number[] = [one >>> 1];
  while (found.length < 32) {
    const last = found.at(-1) ?? one;
    found.push(multiply(last, last));
  }
  return found;
}

/** x^(8 * bytes). Sizes may be beyond 32 bits, so no bit operations on them. */
function shiftBy(bytes: number): number {
  let product = one;
  for (let rest = bytes, power = 3; rest > 0; rest = Math.floor(rest / 2), power++) {
    if (rest % 2 === 1) product = multiply(powers[power % 32] ?? one, product);
  }
  return product;
}

function multiply(left: number, right: number): number {
  let product = 0;
  let factor = right;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) product ^= factor;
    factor = (factor & 1) === 1 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return product >>> 0;
}
