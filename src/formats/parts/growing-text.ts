import { StringDecoder } from 'node:string_decoder';

type Decoder = Pick<StringDecoder, 'write'>;

/**
 * Bytes of a growing file as text, cut anywhere: UTF-8 with replacement, UTF-16 where a byte order mark says so, which
 * itself is not part of the text. Up to two first bytes wait for a third: one alone decides nothing.
 */
export class GrowingText {
  #decoder: Decoder | undefined;
  #start = Buffer.alloc(0);

  write(bytes: Buffer): string {
    if (this.#decoder) return this.#decoder.write(bytes);
    this.#start = Buffer.concat([this.#start, bytes]);
    if (this.#start.length < 3) return '';
    const [decoder, markLength] = begin(this.#start);
    this.#decoder = decoder;
    const text = decoder.write(this.#start.subarray(markLength));
    this.#start = Buffer.alloc(0);
    return text;
  }
}

function begin(start: Buffer): [Decoder, markLength: number] {
  if (start[0] === 0xff && start[1] === 0xfe) return [new StringDecoder('utf16le'), 2];
  if (start[0] === 0xfe && start[1] === 0xff) return [new BigEndianDecoder(), 2];
  const marked = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf;
  return [new StringDecoder('utf8'), marked ? 3 : 0];
}

class BigEndianDecoder {
  readonly #decoder = new StringDecoder('utf16le');
  #odd = Buffer.alloc(0);

  write(bytes: Buffer): string {
    const all = Buffer.concat([this.#odd, bytes]);
    const even = all.length - (all.length % 2);
    this.#odd = Buffer.from(all.subarray(even));
    return this.#decoder.write(Buffer.from(all.subarray(0, even)).swap16());
  }
}
