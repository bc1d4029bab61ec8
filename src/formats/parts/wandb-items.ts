import { isJsonObject, type JsonValue } from '../../domain/json.ts';
import { UnreadableFile } from '../reader.ts';
import { parseLenientJson } from './lenient-json.ts';
import { readWire, signedOf, type WireField } from './protobuf-wire.ts';

/** The parts that records of wandb are made of. */

export const configBytesMax = 64 * 1024;
const itemField = { key: 1, nestedKey: 2, value: 16 } as const;
const nameLengthMax = 256;
export const textLengthMax = 1024;

export interface Item {
  readonly key: string;
  readonly value: Buffer;
}

/** `{repeated Item = number}` of `{key = 1, nested_key = 2, value_json = 16}`. */
export function itemsOf(message: Buffer, number: number): Item[] {
  const items: Item[] = [];
  for (const field of readWire(message)) {
    if (field.type !== 'bytes' || field.number !== number) continue;
    const item = itemOf([...readWire(field.value, 64)]);
    if (item && item.key.length <= nameLengthMax) items.push(item);
  }
  return items;
}

function itemOf(fields: readonly WireField[]): Item | undefined {
  let value: Buffer | undefined;
  const names: string[] = [];
  for (const field of fields) {
    if (field.type !== 'bytes') continue;
    if (field.number === itemField.key || field.number === itemField.nestedKey)
      names.push(textOf(field.value));
    if (field.number === itemField.value) value = field.value;
  }
  const key = names.filter((name) => name !== '').join('.');
  return key === '' || value === undefined ? undefined : { key, value };
}

export function jsonOf(value: Buffer): JsonValue {
  try {
    return parseLenientJson(value, configBytesMax).value;
  } catch (error) {
    if (error instanceof UnreadableFile) return null;
    throw error;
  }
}

export function textOf(value: Buffer): string {
  return value.subarray(0, textLengthMax).toString('utf8');
}

/** google.protobuf.Timestamp. */
export function timestampOf(message: Buffer): number | undefined {
  let seconds = 0;
  let nanos = 0;
  for (const field of readWire(message, 8)) {
    if (field.type !== 'varint') continue;
    if (field.number === 1) seconds = signedOf(field.value) ?? 0;
    if (field.number === 2) nanos = signedOf(field.value) ?? 0;
  }
  return seconds > 0 && seconds < 1e11 ? seconds * 1000 + Math.floor(nanos / 1e6) : undefined;
}

/** `{key: {desc, value}}` as config.yaml has it, older ones and newer ones. */
export function unwrapConfig(document: JsonValue): Map<string, JsonValue> {
  const config = new Map<string, JsonValue>();
  if (!isJsonObject(document)) return config;
  for (const [key, entry] of Object.entries(document)) {
    if (key === '_wandb' || key === 'wandb_version') continue;
    if (isJsonObject(entry) && Object.hasOwn(entry, 'value')) config.set(key, entry['value'] ?? null);
  }
  return config;
}
