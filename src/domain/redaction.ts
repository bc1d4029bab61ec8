import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { isSecretOfCommand, isSuchCommand } from './redact-commands.ts';
import { redacted as mask, redactText } from './redact-text.ts';
import { isSensitiveKey } from './sensitive-key.ts';

export { redactText } from './redact-text.ts';

/**
 * No secret leaves the host. Values under names that look like tokens, passwords, keys or cookies are replaced whole;
 * everywhere else, known shapes of secrets inside texts are. What is harmless stays as it is, byte for byte.
 */
export interface Redaction {
  readonly value: JsonValue;
  /** Paths of what was replaced: `config.raw.hf_token`, `args[3]`. */
  readonly redacted: readonly string[];
}

/** Deeper values are replaced unseen. Our own parser stops long before. */
const depthMax = 200;

export function redact(value: JsonValue): Redaction {
  const paths: string[] = [];
  return { value: redactValue(value, '', 0, paths), redacted: paths };
}

function redactValue(value: JsonValue, path: string, depth: number, paths: string[]): JsonValue {
  if (typeof value === 'string') {
    const clean = redactText(value);
    if (clean !== value) paths.push(path);
    return clean;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return masked(path, paths);
  return Array.isArray(value)
    ? redactArray(value, path, depth, paths)
    : redactObject(value, path, depth, paths);
}

function redactArray(items: JsonValue[], path: string, depth: number, paths: string[]): JsonValue[] {
  // `["--token", "abc"]` of a command line, `["Authorization", "Bearer abc"]` of headers.
  const pair = items.length === 2;
  const isCommand = isSuchCommand(items);
  const clean: JsonValue[] = [];
  for (const [at, item] of items.entries()) {
    const itemPath = `${path}[${at}]`;
    const announced = announces(items[at - 1], pair) && isSecretArgument(item);
    const ofCommand = isCommand && typeof item === 'string' && isSecretOfCommand(clean, item);
    clean.push(
      announced || ofCommand ? masked(itemPath, paths) : redactValue(item, itemPath, depth + 1, paths),
    );
  }
  return clean;
}

function announces(item: JsonValue | undefined, pair: boolean): boolean {
  if (typeof item !== 'string' || item.length > 200 || /[=:\s]/.test(item)) return false;
  return (pair || item.startsWith('-')) && isSensitiveKey(item);
}

function isSecretArgument(item: JsonValue): boolean {
  return canBeSecret(item, '') && !(typeof item === 'string' && item.startsWith('-'));
}

function redactObject(object: JsonObject, path: string, depth: number, paths: string[]): JsonObject {
  // `{"name": "API_KEY", "value": "abc"}`, as environments are written.
  const named = [object['name'], object['key']].some(
    (name) => typeof name === 'string' && isSensitiveKey(name),
  );
  const entries: [string, JsonValue][] = [];
  const taken = new Set<string>();
  for (const [key, value] of Object.entries(object)) {
    const cleanKey = freeKey(redactText(key), taken);
    const keyPath = joinKey(path, cleanKey);
    if (cleanKey !== key) paths.push(keyPath);
    const secret =
      isSensitiveKey(key) || (named && key.toLowerCase() === 'value') || isSecretBelow(path, key, object);
    const clean =
      secret && canBeSecret(value, key)
        ? masked(keyPath, paths)
        : redactValue(value, keyPath, depth + 1, paths);
    entries.push([cleanKey, clean]);
  }
  // Defines properties instead of setting them, so that a key `__proto__` is a key.
  return Object.fromEntries(entries);
}

/** `wandb: {api: {key: x}}`, and the `{username, key}` of kaggle.json. */
function isSecretBelow(path: string, key: string, object: JsonObject): boolean {
  if (!/^(?:key|keys|pass)$/i.test(key)) return false;
  const value = object[key];
  const isLogin =
    Object.hasOwn(object, 'username') && typeof value === 'string' && /^[\da-f]{32}$/.test(value);
  return isLogin || isSensitiveKey(`${path.slice(path.lastIndexOf('.') + 1)}_${key}`);
}

/** Two keys may become one when secrets are taken out of them. */
function freeKey(key: string, taken: Set<string>): string {
  let free = key;
  for (let at = 2; taken.has(free); at++) free = `${key}#${at}`;
  taken.add(free);
  return free;
}

const saysNothing = /^\s*(?:none|null|nil|true|false|yes|no|undefined|n\/a)?\s*$/i;
/** `<HUB_TOKEN>`, `<|user|>`, `[CLS]`, `${API_KEY}`: a place for a value, or a token of a text. */
const placeholder = /^(?:<\|?[A-Za-z_ /-]{1,40}\|?>|\[[A-Za-z_]{1,20}\]|\$\{[A-Z_][A-Z0-9_]{0,80}\})$/;

/** Flags, empty values and what is masked already hide nothing. */
function canBeSecret(value: JsonValue, key: string): boolean {
  if (value === null || typeof value === 'boolean' || value === mask) return false;
  if (Array.isArray(value)) return value.some((item) => canBeSecret(item, key));
  if (isJsonObject(value)) return Object.values(value).some((item) => canBeSecret(item, key));
  // Tokens are never numbers; under such names numbers count or name the tokens of a text.
  if (typeof value === 'number') return !/token/i.test(key);
  // The shell's own PWD is a directory.
  if (/^(?:old)?pwd$/i.test(key) && value.startsWith('/')) return false;
  return !saysNothing.test(value) && !placeholder.test(value);
}

function masked(path: string, paths: string[]): string {
  paths.push(path);
  return mask;
}

function joinKey(path: string, key: string): string {
  if (!/^[^.[\]"\s]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
