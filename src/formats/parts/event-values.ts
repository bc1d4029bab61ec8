import type { JsonObject, JsonValue } from '../../domain/json.ts';
import { readWire, signedOf, type WireField } from './protobuf-wire.ts';

/**
 * One record of an event file: `Event` (tensorboard/compat/proto/event.proto), of which only times, steps and summaries
 * are read. A summary's value is a number in `simple_value`, or a tensor (tensor.proto): a number in TensorFlow 2, text
 * and hyperparameters elsewhere (tensorboard/plugins/hparams/plugin_data.proto).
 */
export interface EventRecord {
  /** Unix time. */
  readonly wallTimeSeconds: number | undefined;
  readonly step: number;
  readonly values: readonly EventValue[];
}

export interface EventValue {
  readonly tag: string;
  readonly scalar?: number;
  readonly text?: string;
  readonly hyperparameters?: JsonObject;
}

const tagLengthMax = 256;
const hyperparametersMax = 1000;
const textLengthMax = 256 * 1024;

/** Throws UnreadableFile where the record is no message. */
export function readEvent(record: Buffer): EventRecord {
  let wallTimeSeconds: number | undefined;
  let step = 0;
  const values: EventValue[] = [];
  for (const field of readWire(record)) {
    if (field.number === 1 && field.type === 'fixed64') wallTimeSeconds = field.value.readDoubleLE();
    else if (field.number === 2 && field.type === 'varint') step = signedOf(field.value) ?? 0;
    else if (field.number === 5 && field.type === 'bytes') values.push(...readSummary(field.value));
  }
  return { wallTimeSeconds, step, values };
}

function* readSummary(summary: Buffer): Generator<EventValue> {
  for (const field of readWire(summary)) {
    if (field.number !== 1 || field.type !== 'bytes') continue;
    const value = readValue(field.value);
    if (value) yield value;
  }
}

function readValue(message: Buffer): EventValue | undefined {
  let tag = '';
  let found: Omit<EventValue, 'tag'> | undefined;
  let metadata: Buffer | undefined;
  for (const field of readWire(message)) {
    if (field.number === 2 && field.type === 'fixed32') found = { scalar: field.value.readFloatLE() };
    else if (field.type !== 'bytes') continue;
    else if (field.number === 1) tag = field.value.toString('utf8');
    else if (field.number === 8) found = readTensor(field.value);
    else if (field.number === 9) metadata = field.value;
  }
  if (tag === '' || tag.length > tagLengthMax) return undefined;
  if (tag === '_hparams_/session_start_info' && metadata) {
    return { tag, hyperparameters: readHyperparameters(metadata) };
  }
  return found && { tag, ...found };
}

/** Numbers of these types (types.proto) by the field that holds a list of them. */
const float = { dtype: 1, bytes: 4, field: 5, read: (at: Buffer) => at.readFloatLE() };
const double = { dtype: 2, bytes: 8, field: 6, read: (at: Buffer) => at.readDoubleLE() };
const int32 = { dtype: 3, bytes: 4, field: 7, read: (at: Buffer) => at.readInt32LE() };
const int64 = { dtype: 9, bytes: 8, field: 10, read: (at: Buffer) => Number(at.readBigInt64LE()) };
const stringType = 7;

/** A tensor of one number or one text; undefined for any other. */
function readTensor(tensor: Buffer): Omit<EventValue, 'tag'> | undefined {
  const fields = [...readWire(tensor)];
  const dtype = fields.find(({ number, type }) => number === 1 && type === 'varint');
  const type = dtype?.type === 'varint' ? Number(dtype.value) : 0;
  if (type === stringType) return readText(fields);
  const kind = [float, double, int32, int64].find((one) => one.dtype === type);
  if (!kind) return undefined;
  const content = fields.find(({ number }) => number === 4);
  if (content?.type === 'bytes' && content.value.length === kind.bytes) {
    return { scalar: kind.read(content.value) };
  }
  const listed = fields.filter(({ number }) => number === kind.field);
  const only = listed.length === 1 ? listed[0] : undefined;
  if (only?.type === 'varint') return { scalar: Number(BigInt.asIntN(64, only.value)) };
  if (only && (kind === float || kind === double) && only.value.length === kind.bytes) {
    return { scalar: kind.read(only.value) };
  }
  return undefined;
}

function readText(fields: readonly WireField[]): { text: string } | undefined {
  const texts = fields.flatMap(({ number, type, value }) =>
    number === 8 && type === 'bytes' ? [value] : [],
  );
  const [only] = texts;
  return texts.length === 1 && only && only.length <= textLengthMax
    ? { text: only.toString('utf8') }
    : undefined;
}

/** SummaryMetadata.plugin_data.content is HParamsPluginData, its field 3 SessionStartInfo, of which field 1 is a map. */
function readHyperparameters(metadata: Buffer): JsonObject {
  const [start] = within(within(within([metadata], 1), 2), 3);
  const entries = start ? within([start], 1).slice(0, hyperparametersMax) : [];
  const pairs: [string, JsonValue][] = [];
  for (const entry of entries) {
    const [name] = within([entry], 1);
    const [value] = within([entry], 2);
    if (name && value && name.length <= tagLengthMax)
      pairs.push([name.toString('utf8'), readProtoValue(value)]);
  }
  return Object.fromEntries(pairs);
}

function within(messages: readonly Buffer[], number: number): Buffer[] {
  return messages.flatMap((message) =>
    [...readWire(message)].flatMap((field) =>
      field.number === number && field.type === 'bytes' ? [field.value] : [],
    ),
  );
}

/** google.protobuf.Value, as far as it is one value. */
function readProtoValue(message: Buffer): JsonValue {
  for (const { number, type, value } of readWire(message)) {
    if (number === 2 && type === 'fixed64') return finite(value.readDoubleLE());
    if (number === 3 && type === 'bytes') return value.subarray(0, 4096).toString('utf8');
    if (number === 4 && type === 'varint') return value !== 0n;
  }
  return null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
