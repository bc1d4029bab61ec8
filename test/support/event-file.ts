/** Event files as TensorBoard's writers make them, put together by hand. */

export interface WrittenEvent {
  readonly at: number;
  readonly step?: number;
  readonly values?: readonly Buffer[];
}

export function eventFile(events: readonly WrittenEvent[]): Buffer {
  const first = events[0]?.at ?? 1_700_000_000;
  const version = message([fixed64(1, first), bytes(3, 'brain.Event:2')]);
  return Buffer.concat([record(version), ...events.map((event) => record(encode(event)))]);
}

export function scalar(tag: string, value: number): Buffer {
  const float = Buffer.alloc(4);
  float.writeFloatLE(value);
  return message([bytes(1, tag), Buffer.concat([key(2, 5), float])]);
}

/** As TensorFlow 2 writes it: a tensor with its bytes. */
export function tensorScalar(tag: string, value: number): Buffer {
  const float = Buffer.alloc(4);
  float.writeFloatLE(value);
  const tensor = message([varintField(1, 1), bytes(2, ''), bytes(4, float)]);
  return message([bytes(1, tag), bytes(8, tensor)]);
}

export function text(tag: string, value: string): Buffer {
  return message([bytes(1, tag), bytes(8, message([varintField(1, 7), bytes(8, value)]))]);
}

export function hyperparameters(values: Readonly<Record<string, number | string | boolean>>): Buffer {
  const entries = Object.entries(values).map(([name, value]) =>
    bytes(1, message([bytes(1, name), bytes(2, protoValue(value))])),
  );
  const content = message([varintField(1, 0), bytes(3, message(entries))]);
  const metadata = message([bytes(1, message([bytes(1, 'hparams'), bytes(2, content)]))]);
  return message([bytes(1, '_hparams_/session_start_info'), bytes(9, metadata)]);
}

/** Status 1 is success, 2 failure, 3 running. */
export function sessionEnd(status: number): Buffer {
  const content = message([varintField(1, 0), bytes(4, message([varintField(1, status)]))]);
  const metadata = message([bytes(1, message([bytes(1, 'hparams'), bytes(2, content)]))]);
  return message([bytes(1, '_hparams_/session_end_info'), bytes(9, metadata)]);
}

export function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}

function encode({ at, step = 0, values = [] }: WrittenEvent): Buffer {
  const summary = message(values.map((value) => bytes(1, value)));
  return message([fixed64(1, at), varintField(2, step), ...(values.length > 0 ? [bytes(5, summary)] : [])]);
}

function protoValue(value: number | string | boolean): Buffer {
  if (typeof value === 'string') return bytes(3, value);
  return typeof value === 'number' ? fixed64(2, value) : varintField(4, value ? 1 : 0);
}

function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function bytes(number: number, value: Buffer | string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([key(number, 2), varint(content.length), content]);
}

function fixed64(number: number, value: number): Buffer {
  const double = Buffer.alloc(8);
  double.writeDoubleLE(value);
  return Buffer.concat([key(number, 1), double]);
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([key(number, 0), varint(value)]);
}

function key(number: number, wireType: number): Buffer {
  return varint((number << 3) | wireType);
}

function varint(value: number): Buffer {
  const found: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) found.push((rest % 128) | 0x80);
  return Buffer.from([...found, rest]);
}

/** CRC-32C bit by bit, masked as TFRecord does. */
function masked(data: Buffer): Buffer {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const sum = ~crc >>> 0;
  const found = Buffer.alloc(4);
  found.writeUInt32LE(((((sum >>> 15) | (sum << 17)) >>> 0) + 0xa282ead8) % 2 ** 32);
  return found;
}
