import type { JsonObject, JsonValue } from '../../domain/json.ts';
import { UnreadableFile } from '../reader.ts';
import { decodeText, isLfsPointer } from './decode-text.ts';

export type UnreadableKind = 'empty' | 'truncated' | 'syntax' | 'tooDeep' | 'tooLarge' | 'lfsPointer';

/** A file that holds no JSON which could be believed. The message says what and where. */
export class UnreadableJson extends UnreadableFile {
  override readonly name = 'UnreadableJson';
  readonly kind: UnreadableKind;
  /** In bytes from the start of the file, where a place can be named. */
  readonly offsetBytes: number | undefined;

  constructor(kind: UnreadableKind, message: string, offsetBytes?: number) {
    super(offsetBytes === undefined ? message : `${message} at byte ${offsetBytes}`);
    this.kind = kind;
    this.offsetBytes = offsetBytes;
  }
}

export interface LenientJson {
  readonly value: JsonValue;
  readonly warnings: readonly string[];
}

export const jsonBytesMax = 1024 * 1024;
export const jsonDepthMax = 64;

/**
 * JSON as trainers write it: with a byte order mark or as UTF-16, with bare NaN and Infinity (null), with integers that
 * a double cannot hold (kept as strings), with bytes that are not UTF-8 (replaced). One warning each, with a count.
 * Otherwise exactly JSON (RFC 8259), at most 64 levels deep; of equal keys the last wins. Linear in the length.
 */
export function parseLenientJson(bytes: Buffer, bytesMax = jsonBytesMax): LenientJson {
  if (bytes.length > bytesMax) {
    throw new UnreadableJson('tooLarge', `${bytes.length} bytes, more than the ${bytesMax} that are read`);
  }
  if (isLfsPointer(bytes)) throw new UnreadableJson('lfsPointer', 'a Git LFS pointer, not the file itself');
  const decoded = decodeText(bytes);
  if (/^[\s\0]*$/.test(decoded.text)) {
    throw new UnreadableJson('empty', bytes.includes(0) ? `${bytes.length} zero bytes` : 'an empty file');
  }
  const parser = new Parser(decoded.text, decoded.offsetOf);
  const value = parser.parseDocument();
  return { value, warnings: [...decoded.warnings, ...parser.warnings()] };
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const blanks = /[ \t\r\n]*/y;
/** The end, an escape, or what may not stand in a string: anything below the blank. */
const stringEnd = /["\\]|[^ -\uffff]/g;
const words: readonly (readonly [string, JsonValue, special: boolean])[] = [
  ['true', true, false],
  ['false', false, false],
  ['null', null, false],
  ['NaN', null, true],
  ['Infinity', null, true],
  ['-Infinity', null, true],
];

class Parser {
  readonly #text: string;
  readonly #offsetOf: (at: number) => number;
  #at = 0;
  #notFinite = 0;
  #bigIntegers = 0;

  constructor(text: string, offsetOf: (at: number) => number) {
    this.#text = text;
    this.#offsetOf = offsetOf;
  }

  parseDocument(): JsonValue {
    this.#skipBlanks();
    const value = this.#value(1);
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#unexpected('the end of the file');
    return value;
  }

  warnings(): string[] {
    const warnings: string[] = [];
    if (this.#notFinite > 0) warnings.push(`NaN or Infinity read as null, ${times(this.#notFinite)}`);
    if (this.#bigIntegers > 0) {
      warnings.push(`integer beyond 2^53 kept as a string, ${times(this.#bigIntegers)}`);
    }
    return warnings;
  }

  #value(depth: number): JsonValue {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#wordOrNumber();
    }
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = {};
    this.#open(depth);
    if (this.#take('}')) return object;
    do {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in quotes');
      const key = this.#string();
      this.#skipBlanks();
      if (!this.#take(':')) throw this.#unexpected('":"');
      this.#skipBlanks();
      setKey(object, key, this.#value(depth + 1));
      this.#skipBlanks();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#unexpected('"," or "}"');
    return object;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#open(depth);
    if (this.#take(']')) return items;
    do {
      this.#skipBlanks();
      items.push(this.#value(depth + 1));
      this.#skipBlanks();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#unexpected('"," or "]"');
    return items;
  }

  #open(depth: number): void {
    if (depth > jsonDepthMax) {
      throw new UnreadableJson('tooDeep', `more than ${jsonDepthMax} levels deep`, this.#offsetOf(this.#at));
    }
    this.#at += 1;
    this.#skipBlanks();
  }

  #string(): string {
    const start = this.#at;
    let at = start + 1;
    for (;;) {
      stringEnd.lastIndex = at;
      const found = stringEnd.exec(this.#text);
      if (found === null) throw this.#truncated();
      if (found[0] === '"') {
        this.#at = found.index + 1;
        break;
      }
      if (found[0] !== '\\') {
        this.#at = found.index;
        throw this.#unexpected('no control character in a string');
      }
      at = found.index + 2;
      if (at > this.#text.length) throw this.#truncated();
    }
    return this.#unescape(start);
  }

  #unescape(start: number): string {
    const literal = this.#text.slice(start, this.#at);
    if (!literal.includes('\\')) return literal.slice(1, -1);
    try {
      return JSON.parse(literal) as string;
    } catch {
      // reason: the engine's message differs from version to version; the place is what helps
      this.#at = start;
      throw new UnreadableJson('syntax', 'a string with an unknown escape', this.#offsetOf(start));
    }
  }

  #wordOrNumber(): JsonValue {
    for (const [word, value, special] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      if (special) this.#notFinite += 1;
      return value;
    }
    return this.#number();
  }

  #number(): JsonValue {
    numberPattern.lastIndex = this.#at;
    const literal = numberPattern.exec(this.#text)?.[0];
    if (literal === undefined) throw this.#unexpected('a value');
    this.#at += literal.length;
    const number = Number(literal);
    if (!Number.isFinite(number)) {
      this.#notFinite += 1;
      return null;
    }
    if (Number.isSafeInteger(number) || /[.eE]/.test(literal)) return number;
    this.#bigIntegers += 1;
    return literal;
  }

  #skipBlanks(): void {
    blanks.lastIndex = this.#at;
    blanks.exec(this.#text);
    this.#at = blanks.lastIndex;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(expected: string): UnreadableJson {
    const rest = this.#text.slice(this.#at, this.#at + 10);
    // What is left could still become a value if the file went on.
    if (this.#at > 0 && (/^(?:-|[.eE][+-]?)?$/.test(rest) || words.some(([word]) => word.startsWith(rest)))) {
      return this.#truncated();
    }
    const found = JSON.stringify(rest.slice(0, 1));
    return new UnreadableJson('syntax', `expected ${expected}, found ${found}`, this.#offsetOf(this.#at));
  }

  #truncated(): UnreadableJson {
    return new UnreadableJson('truncated', 'the file ends in the middle', this.#offsetOf(this.#text.length));
  }
}

/** Defines a key `__proto__` as any other; setting it would change the object's prototype. */
function setKey(object: JsonObject, key: string, value: JsonValue): void {
  if (key !== '__proto__') {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
