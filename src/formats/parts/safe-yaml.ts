import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  YAMLParseError,
} from 'yaml';
import type { JsonObject, JsonValue } from '../../domain/json.ts';
import { UnreadableFile } from '../reader.ts';
import { decodeText, isLfsPointer } from './decode-text.ts';

/** The parser takes up to a second for four times as much, where it is meant to. */
export const yamlBytesMax = 64 * 1024;
const depthMax = 48;
const valuesMax = 20_000;
/** Words, signs and blanks: what the composer's time depends on. A configuration of 64 KiB has about 16,000. */
const lexemesMax = 24_000;

export interface SafeYaml {
  readonly value: JsonValue;
  readonly warnings: readonly string[];
}

/**
 * The first document of a YAML 1.2 file as plain JSON, with the core schema. Tags are never acted upon (`!!python/object`
 * is the mapping that it stands before); aliases are followed while all values together stay within a bound; `<<` is
 * merged; NaN and Infinity are null, integers that a double cannot hold strings. Throws UnreadableFile.
 */
export function parseSafeYaml(bytes: Buffer, bytesMax = yamlBytesMax): SafeYaml {
  if (bytes.length > bytesMax) {
    throw new UnreadableFile(`${bytes.length} bytes, more than the ${bytesMax} that are read`);
  }
  if (isLfsPointer(bytes)) throw new UnreadableFile('a Git LFS pointer, not the file itself');
  const { text, warnings, offsetOf } = decodeText(bytes);
  if (text.includes('\0')) throw new UnreadableFile('not YAML: a zero byte');
  refuseDeepNesting(text);
  refuseManyLexemes(text);
  const walk = new Walk();
  const value = walk.value(compose(text, offsetOf), 0);
  return { value, warnings: [...warnings, ...walk.warnings()] };
}

/** Cheaper than composing it: the composer's time grows with depth times length. */
function refuseDeepNesting(text: string): void {
  const isDeep = /(?:[[{][ \t\r\n]{0,64}){49}|^[ \t]{0,64}(?:[-?:][ \t]{1,64}){49}/m.test(text);
  if (isDeep) throw new UnreadableFile(`more than ${depthMax} levels deep`);
}

/** Found by the lexer alone, which is fast and holds one at a time. */
function refuseManyLexemes(text: string): void {
  let count = 0;
  for (const _ of new Lexer().lex(text)) {
    count += 1;
    if (count > lexemesMax) throw new UnreadableFile(`more than ${lexemesMax} words and signs`);
  }
}

function compose(text: string, offsetOf: (at: number) => number): Node | null {
  try {
    const document = parseDocument(text, {
      schema: 'core',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      strict: false,
    });
    const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
    if (error) throw new UnreadableFile(`not YAML (${describe(error)}) at byte ${offsetOf(error.pos[0])}`);
    return document.contents;
  } catch (error) {
    // The composer calls itself for every level.
    if (error instanceof RangeError) throw new UnreadableFile(`more than ${depthMax} levels deep`);
    throw error;
  }
}

/** The parser's own message may quote the file. */
function describe(error: Error): string {
  return error instanceof YAMLParseError ? error.code.toLowerCase().replaceAll('_', ' ') : 'syntax';
}

class Walk {
  #values = 0;
  #tags = 0;
  #notFinite = 0;
  #bigIntegers = 0;
  #keysLeftOut = 0;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<unknown>();

  warnings(): string[] {
    const counted: [number, string][] = [
      [this.#tags, 'tags that are not acted upon'],
      [this.#notFinite, 'NaN or Infinity read as null'],
      [this.#bigIntegers, 'integers beyond 2^53 kept as strings'],
      [this.#keysLeftOut, 'keys that are no text left out'],
    ];
    return counted.flatMap(([count, text]) => (count > 0 ? [`${text}: ${count}`] : []));
  }

  value(node: unknown, depth: number): JsonValue {
    this.#values += 1;
    if (this.#values > valuesMax) throw new UnreadableFile(`more than ${valuesMax} values, aliases included`);
    if (depth > depthMax) throw new UnreadableFile(`more than ${depthMax} levels deep`);
    if (isAlias(node)) return this.#alias(node.source, depth);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) this.#tags += 1;
    else if (node.tag?.startsWith('tag:yaml.org,2002:python/')) this.#tags += 1;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node.value, node.source);
    this.#open.add(node);
    const value = isMap(node)
      ? this.#map(node, depth)
      : node.items.map((item) => this.value(item, depth + 1));
    this.#open.delete(node);
    return value;
  }

  #alias(name: string, depth: number): JsonValue {
    const target = this.#anchors.get(name);
    if (target !== undefined && this.#open.has(target))
      throw new UnreadableFile('an alias that holds itself');
    return this.value(target, depth + 1);
  }

  #scalar(value: unknown, source: string | undefined): JsonValue {
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value !== 'number') return null;
    if (!Number.isFinite(value)) {
      this.#notFinite += 1;
      return null;
    }
    if (Number.isSafeInteger(value) || !/^[-+]?\d+$/.test(source ?? '')) return value;
    this.#bigIntegers += 1;
    return source ?? String(value);
  }

  #map(map: YAMLMap, depth: number): JsonObject {
    const own = new Map<string, JsonValue>();
    const merged = new Map<string, JsonValue>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      const value = this.value(pair.value, depth + 1);
      if (key === undefined) this.#keysLeftOut += 1;
      else if (key === '<<') for (const [name, one] of mergeable(value)) merged.set(name, one);
      else own.set(key, value);
    }
    // Defines properties instead of setting them, so that a key `__proto__` is a key.
    return Object.fromEntries([...merged, ...own]);
  }
}

function keyOf({ key }: Pair): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

/** Of several mappings the first that knows a key wins. */
function mergeable(value: JsonValue): [string, JsonValue][] {
  const maps = Array.isArray(value) ? value.toReversed() : [value];
  return maps.flatMap((map) =>
    typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : [],
  );
}
