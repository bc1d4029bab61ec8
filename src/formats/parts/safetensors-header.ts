import { isJsonObject, type JsonValue } from '../../domain/json.ts';
import { type FileInfo, UnreadableFile } from '../reader.ts';
import { parseLenientJson } from './lenient-json.ts';
import { beginsAsSafetensors } from './safetensors-start.ts';

export const headerBytesMax = 1024 * 1024;
const metadataStart = '{"__metadata__":{';
const entriesMax = 512;
const valueLengthMax = 64 * 1024;

export interface SafetensorsHeader {
  /** `__metadata__`: names and values are texts, whatever they mean. Long values are left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Are all tensors there? Undefined where the header is too long to tell. */
  readonly isWhole: boolean | undefined;
}

/**
 * The header of a safetensors file, from its first bytes; tensors are not read. Of a header that is longer than what was
 * handed over, the metadata, which the library writes first. Throws UnreadableFile.
 */
export function readSafetensorsHeader(
  bytes: Buffer,
  { sizeBytes }: Pick<FileInfo, 'sizeBytes'>,
): SafetensorsHeader {
  if (!beginsAsSafetensors(bytes, sizeBytes)) throw new UnreadableFile('no safetensors file, or not yet');
  const headerBytes = Number(bytes.readBigUInt64LE());
  if (8 + headerBytes > bytes.length) {
    return { metadata: scanMetadata(bytes.toString('utf8', 8)), isWhole: undefined };
  }
  const { value } = parseLenientJson(bytes.subarray(8, 8 + headerBytes), headerBytesMax);
  if (!isJsonObject(value)) throw new UnreadableFile('no safetensors file: its header is no object');
  const found = value['__metadata__'];
  const entries = isJsonObject(found) ? Object.entries(found).slice(0, entriesMax) : [];
  const texts = entries.flatMap(([name, text]) =>
    typeof text === 'string' && text.length <= valueLengthMax ? [[name, text] as const] : [],
  );
  return { metadata: new Map(texts), isWhole: sizeBytes >= 8 + headerBytes + dataEnd(Object.values(value)) };
}

/** Where the last tensor ends: `{"dtype", "shape", "data_offsets": [begin, end]}`. */
function dataEnd(tensors: readonly JsonValue[]): number {
  let end = 0;
  for (const tensor of tensors) {
    const offsets = isJsonObject(tensor) ? tensor['data_offsets'] : undefined;
    const last = Array.isArray(offsets) ? offsets[1] : undefined;
    if (typeof last === 'number' && last > end) end = last;
  }
  return end;
}

function scanMetadata(text: string): Map<string, string> {
  const found = new Map<string, string>();
  if (!text.startsWith(metadataStart)) return found;
  let at = metadataStart.length;
  while (found.size < entriesMax && text[at] === '"') {
    const nameEnd = closingQuote(text, at);
    if (nameEnd < 0 || text.slice(nameEnd + 1, nameEnd + 3) !== ':"') break;
    const valueEnd = closingQuote(text, nameEnd + 2);
    if (valueEnd < 0) break;
    const value = stringOf(text.slice(nameEnd + 2, valueEnd + 1));
    const name = stringOf(text.slice(at, nameEnd + 1));
    if (name !== undefined && value !== undefined && value.length <= valueLengthMax) found.set(name, value);
    at = valueEnd + (text[valueEnd + 1] === ',' ? 2 : 1);
  }
  return found;
}

function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && isEscaped(text, at, open)) at = text.indexOf('"', at + 1);
  return at;
}

function isEscaped(text: string, at: number, open: number): boolean {
  let slashes = 0;
  while (at - slashes - 1 > open && text[at - slashes - 1] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

function stringOf(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined; // reason: one damaged value is no reason to lose the others
  }
}
