/**
 * Is this the start of a safetensors file (github.com/huggingface/safetensors, "Format"): the length of a JSON header as
 * u64le, then the header? Git LFS pointers and empty files often have its name.
 */
export function beginsAsSafetensors(bytes: Buffer, sizeBytes: number): boolean {
  if (bytes.length < 9) return false;
  const headerBytes = bytes.readBigUInt64LE();
  return headerBytes >= 2n && headerBytes <= BigInt(sizeBytes - 8) && bytes[8] === 0x7b;
}
