/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), four bytes at a time. */
const tables = buildTables();

export function crc32c(bytes: Buffer): number {
  const [first, second, third, fourth] = tables;
  let crc = 0xffffffff;
  let at = 0;
  for (const last = bytes.length - 3; at < last; at += 4) {
    crc ^= bytes.readInt32LE(at);
    crc =
      (fourth[crc & 0xff] ?? 0) ^
      (third[(crc >>> 8) & 0xff] ?? 0) ^
      (second[(crc >>> 16) & 0xff] ?? 0) ^
      (first[crc >>> 24] ?? 0);
  }
  for (; at < bytes.length; at += 1) crc = (first[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array];

function buildTables(): Tables {
  const built: Tables = [new Int32Array(256), new Int32Array(256), new Int32Array(256), new Int32Array(256)];
  const [first] = built;
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    first[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte += 1) {
    for (let table = 1; table < 4; table += 1) {
      const before = built[table - 1]?.[byte] ?? 0;
      const into = built[table];
      if (into) into[byte] = (first[before & 0xff] ?? 0) ^ (before >>> 8);
    }
  }
  return built;
}
