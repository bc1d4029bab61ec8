/** `.env` files, and the quotes and spaces that get around values there and through `docker --env-file`. */

export interface DotenvEntry {
  readonly name: string;
  /** What stands behind `=`, its comment removed, quotes and spaces still around it. */
  readonly raw: string;
  /** Counted from 1. */
  readonly line: number;
  /** Whether anything but `=` stands between name and value. */
  readonly spaced: boolean;
}

/** A line that gives a name without `=`. */
export interface DotenvMisfit {
  readonly name: string;
  readonly line: number;
}

export interface Dotenv {
  readonly entries: readonly DotenvEntry[];
  readonly misfits: readonly DotenvMisfit[];
}

/**
 * Every line stands for itself: a quote left open in a variable that is not ours must not swallow the
 * next one. Comments, empty lines and `export ` are allowed; later entries of a name win.
 */
export function parseDotenv(text: string): Dotenv {
  const entries: DotenvEntry[] = [];
  const misfits: DotenvMisfit[] = [];
  for (const [index, content] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)(\s*=)?(.*)$/u.exec(content);
    if (!match) continue;
    const [, name = '', assignment, rest = ''] = match;
    if (assignment === undefined) misfits.push({ name, line: index + 1 });
    else entries.push({ name, raw: withoutComment(rest), line: index + 1, spaced: assignment !== '=' });
  }
  return { entries, misfits };
}

/** ` # …` ends a value, unless it stands between quotes that close. `a#b` is no comment. */
function withoutComment(rest: string): string {
  const quoted = /^\s*(?:"[^"]*"|'[^']*')\s*/.exec(rest)?.[0];
  if (quoted !== undefined && /^(?:#|$)/.test(rest.slice(quoted.length))) return quoted;
  const comment = /\s+#.*$/.exec(rest);
  return comment ? rest.slice(0, comment.index) : rest;
}

export type CleanValue =
  | { readonly value: string; readonly removed: readonly ('quotes' | 'spaces')[] }
  | { readonly problem: string };

// White space as people paste it, the kinds without width included.
const edgeSpaces = /^[\s\u200B-\u200D\u2060]+|[\s\u200B-\u200D\u2060]+$/gu;
const quotePartner: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\u201C': '\u201D',
  '\u2018': '\u2019',
  '`': '`',
};
const quotes = '"\'`\u201C\u201D\u2018\u2019';

/** A value without the quotes and spaces around it, and which of them were there. */
export function cleanValue(raw: string): CleanValue {
  const removed = new Set<'quotes' | 'spaces'>();
  const trim = (text: string): string => {
    const trimmed = text.replace(edgeSpaces, '');
    if (trimmed !== text) removed.add('spaces');
    return trimmed;
  };
  const value = trim(raw);
  const first = value.at(0) ?? '';
  const last = value.at(-1) ?? '';
  if (!quotes.includes(first) && !quotes.includes(last)) return { value, removed: [...removed] };
  if (value === '') return { value, removed: [...removed] };
  const inner = value.slice(1, -1);
  if (value.length < 2 || quotePartner[first] !== last || inner.includes(first) || inner.includes(last))
    return { problem: 'its quotes do not match: write the value without quotes' };
  removed.add('quotes');
  return { value: trim(inner), removed: [...removed] };
}
