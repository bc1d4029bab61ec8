/** A safetensors file with one tensor of `dataBytes` bytes, of which `writtenBytes` are there. */
export function safetensorsFile(
  metadata: Readonly<Record<string, string>> | undefined,
  { dataBytes = 8, writtenBytes = dataBytes }: { dataBytes?: number; writtenBytes?: number } = {},
): Buffer {
  const tensor = { dtype: 'U8', shape: [dataBytes], data_offsets: [0, dataBytes] };
  const header = Buffer.from(JSON.stringify({ ...(metadata && { __metadata__: metadata }), weight: tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(writtenBytes)]);
}
