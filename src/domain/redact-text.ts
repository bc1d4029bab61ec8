import { redactCommands } from './redact-commands.ts';
import { isSensitiveKey } from './sensitive-key.ts';

export const redacted = '[redacted]';

/**
 * Takes secrets out of a text: known shapes of tokens, private keys, passwords in URLs, arguments and assignments whose
 * name says so, e-mail addresses. The rest of the text stays.
 *
 * Linear in the length of the text: every pattern either begins where its own characters cannot precede it (the
 * lookbehinds), so that one run of characters is tried once, or looks ahead by a bounded number of characters.
 */
export function redactText(text: string): string {
  if (text.length < 3) return text;
  let clean = text;
  // Taking one secret out can uncover another; a text that does not change is done.
  for (let pass = 0; pass < 4; pass++) {
    const before = clean;
    clean = redactOnce(before);
    if (clean === before) break;
  }
  return clean;
}

function redactOnce(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of shapes) clean = clean.replace(pattern, replacement);
  clean = redactCommands(clean);
  clean = clean.replace(urlUser, (user) => (user.includes(':') || user.length > 24 ? `${redacted}@` : user));
  clean = redactAssignments(clean);
  return clean.replace(emailAddress, (address) => (/^(?:git|hg)@/.test(address) ? address : redacted));
}

const shapes: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    redacted,
  ],
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g, redacted],
  [/(?<![A-Za-z0-9])gh[opusr]_[A-Za-z0-9]{20,}/g, redacted],
  [/(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,}/g, redacted],
  [/(?<![A-Za-z0-9_-])glpat-[A-Za-z0-9_-]{16,}/g, redacted],
  [/(?<![A-Za-z0-9])(?:hf|npm)_[A-Za-z0-9]{20,}/g, redacted],
  [/(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)|rpa|r8)_[A-Za-z0-9]{16,}/g, redacted],
  // With a digit in it: names of packages and models begin like this too.
  [/(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}/g, redacted],
  [/(?<![A-Za-z0-9_-])(?:nvapi|pypi|dckr_pat)-[A-Za-z0-9_-]{20,}/g, redacted],
  [/(?<![A-Za-z0-9-])(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}/g, redacted],
  [/(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}/g, redacted],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{2,}){1,4}/g, redacted],
  [/(?<=hooks\.slack\.com\/services\/)[A-Za-z0-9/_-]+/g, redacted],
  [/(?<=discord(?:app)?\.com\/api\/webhooks\/\d{1,24}\/)[A-Za-z0-9_-]+/g, redacted],
  [/(?<=webhook\.office\.com\/webhookb2\/)[A-Za-z0-9@/_-]+/g, redacted],
  // Telegram's bots, which tell of trainings that have ended.
  [/(?<![A-Za-z0-9])\d{6,12}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/g, redacted],
  [/(?<=\bsshpass -p ?)[^\s]+/g, redacted],
  [
    /(?<=\b[Bb](?:earer|EARER)[ \t]{1,4})(?!(?:tokens?|auth|authentication)\b)[A-Za-z0-9._~+/=-]{6,}/g,
    redacted,
  ],
  // kaggle.json, pasted: a key of 32 digits beside a name. Alone, it may be the checksum of anything.
  [
    /(?<=["']key\\?["']\s{0,8}:\s{0,8}\\?["'])[0-9a-f]{32}(?=\\?["'])(?:(?<=["']username\\?["'][^{}]{0,240})|(?=[^{}]{0,240}["']username\\?["']))/g,
    redacted,
  ],
  [/(?<![A-Za-z0-9])(?=[0-9a-f]{40}(?![A-Za-z0-9]))(?<=wandb[^\n]{0,60})[0-9a-f]{40}/gi, redacted],
];

/** From `://` to the last `@` before the host ends. A name alone is no secret, a long one is a token. */
const urlUser = /(?<=:\/\/)[^\s/?#"'<>]*@/g;

const emailAddress =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@(?=[\p{L}\p{N}])[\p{L}\p{N}.-]*\.\p{L}{2,24}(?![\p{L}\p{N}])/gu;

const nameRun = /[A-Za-z0-9_.-]+/g;
const worthALook = /tok|pass|pw|secret|key|cred|auth|cookie|string|signature|sig$/i;
const assigns = /\\?["']?\]?[ \t]{0,8}(?:=>|=|:(?!\/\/|:))[ \t]{0,8}/y;
/** `--token X`, over a line's end in a script, and `'--token', 'X'` as lists are printed. */
const nextArgument = /(?:["'],[ \t]{0,8}|[ \t]{1,8}(?:\\\r?\n[ \t]{0,40})?)(?![ \t]|["']?-)/y;
const doubleQuoted = /"((?:[^"\\]|\\.)*)"/sy;
const singleQuoted = /'((?:[^'\\]|\\.)*)'/sy;
const escapedQuoted = /\\"((?:[^"\\])*)\\"/y;
const bareValue = /[^\s&]+/y;
const spacedValue = /[ \t]{1,4}[A-Za-z0-9+/=_-]{20,128}(?=\s|$)/y;
const headerValue = /[^\r\n"'\\]+/y;

interface Found {
  readonly start: number;
  readonly end: number;
}

/** `--token X`, `--api-key=X`, `PASSWORD=x`, `"secret": "x"`, `Authorization: Bearer x`. */
function redactAssignments(text: string): string {
  let clean = '';
  let copied = 0;
  let previous: { readonly name: string; readonly end: number } | undefined;
  nameRun.lastIndex = 0;
  for (let run = nameRun.exec(text); run !== null; run = nameRun.exec(text)) {
    const end = run.index + run[0].length;
    const name = run[0].slice(-200);
    const value = worthALook.test(name) ? secretAfter(text, name, end, previous) : undefined;
    previous = { name, end };
    if (value === undefined) continue;
    clean += text.slice(copied, value.start) + redacted;
    copied = value.end;
    nameRun.lastIndex = Math.max(value.end, end);
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

function secretAfter(
  text: string,
  name: string,
  end: number,
  previous: { readonly name: string; readonly end: number } | undefined,
): Found | undefined {
  const separatorEnd = matchAt(assigns, text, end)?.end;
  if (separatorEnd === undefined) {
    const isOption = name.startsWith('-') && isSensitiveKey(name);
    const argument = isOption ? matchAt(nextArgument, text, end)?.end : undefined;
    if (argument !== undefined) return valueAt(text, argument, bareValue);
    return randomAfter(text, name, end);
  }
  // `API key: x` is two words for one name.
  const nextTo = previous?.end === end - name.length - 1 && text[previous.end] === ' ';
  const spoken = nextTo ? `${previous?.name} ${name}` : name;
  const signature = name === 'sig' && text[end] === '=';
  if (!signature && !isSensitiveKey(name) && !isSensitiveKey(spoken)) return undefined;
  const header = /(?:authorization|cookies?)$/i.test(name);
  const value = valueAt(text, separatorEnd, header ? headerValue : bareValue);
  return value && isProse(text, name, end, value) ? undefined : value;
}

/** `aws configure set aws_secret_access_key X`: prose does not go on with what only chance makes. */
function randomAfter(text: string, name: string, end: number): Found | undefined {
  if (!/[a-z]_(?:key|token|secret|password)$/i.test(name) || !isSensitiveKey(name)) return undefined;
  const found = matchAt(spacedValue, text, end);
  const value = found && text.slice(found.start, found.end).trimStart();
  const isRandom = [/\d/, /[A-Z]/, /[a-z]/].every((kind) => value !== undefined && kind.test(value));
  return found && value && isRandom ? { start: found.end - value.length, end: found.end } : undefined;
}

/** "Unexpected token: x" is about a token; a secret after that word looks like one. */
function isProse(text: string, name: string, end: number, value: Found): boolean {
  if (!/^tokens?$/i.test(name) || text[end] !== ':') return false;
  const found = text.slice(value.start, Math.min(value.end, value.start + 200));
  return text[value.start - 1] === ' ' && !(found.length >= 8 && /\d/.test(found) && /[A-Za-z]/.test(found));
}

const harmless = /^(?:none|null|nil|true|false|yes|no|undefined)?[,;)}\]]*$/i;

function valueAt(text: string, at: number, bare: RegExp): Found | undefined {
  const quoted =
    matchAt(doubleQuoted, text, at, 1) ??
    matchAt(singleQuoted, text, at, 1) ??
    matchAt(escapedQuoted, text, at, 2);
  const value = quoted ?? matchAt(bare, text, at);
  if (value === undefined || value.start >= value.end) return undefined;
  // Short enough to say nothing.
  const short = value.end - value.start <= 12 ? text.slice(value.start, value.end) : undefined;
  if (short !== undefined && (harmless.test(short) || short === redacted)) return undefined;
  // The shell's own PWD is a directory.
  if (/(?:^|[^A-Za-z0-9_])(?:OLD)?PWD=$/.test(text.slice(Math.max(0, at - 8), at)) && text[at] === '/')
    return undefined;
  return value;
}

/** Where a sticky pattern matches at `at`; `trim` characters less at both ends. */
function matchAt(pattern: RegExp, text: string, at: number, trim = 0): Found | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? { start: at + trim, end: pattern.lastIndex - trim } : undefined;
}
