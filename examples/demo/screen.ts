/** What the demo shows: short lines in 80 columns, colours on a terminal that wants them, JSON that a person can read. */

export interface ScreenOptions {
  readonly write: (text: string) => void;
  readonly colours: boolean;
}

const columns = 80;
const labelWidth = 12;
const codes = { bold: 1, dim: 2, green: 32, cyan: 36, yellow: 33, red: 31 } as const;
export type Colour = keyof typeof codes;

export class Screen {
  readonly #options: ScreenOptions;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  heading(text: string): void {
    this.#options.write(`\n${this.#paint('bold', text)}\n`);
  }

  line(text = ''): void {
    this.#options.write(`${text}\n`);
  }

  /** Who says it in front, what is said in the columns that are left. */
  said(who: string, text: string, colour: Colour): void {
    const label = this.#paint(colour, who.padEnd(labelWidth - 2));
    const lines = wrap(text, columns - labelWidth);
    const rest = lines.slice(1).map((line) => `${' '.repeat(labelWidth)}${line}\n`);
    this.#options.write(`${label}  ${lines[0] ?? ''}\n${rest.join('')}`);
  }

  #paint(colour: Colour, text: string): string {
    return this.#options.colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
  }
}

/** At spaces; a word that is too long stands alone, whole, so that it can be copied. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** JSON with what fits on one line on one line. Objects at the paths of `folded` are shown as `{…}`. */
export function prettyJson(value: unknown, folded: ReadonlySet<string>, indent = '', path = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (folded.has(path)) return Array.isArray(value) ? '[…]' : '{…}';
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const items = Object.entries(value).map(([key, item]) => {
    const below = isList ? path : path === '' ? key : `${path}.${key}`;
    const shown = prettyJson(item, folded, inner, below);
    return isList ? shown : `${JSON.stringify(key)}: ${shown}`;
  });
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  const oneLine = items.length === 0 ? `${open}${close}` : `${open} ${items.join(', ')} ${close}`;
  // The key in front of it is about as long as this.
  const keyWidth = 20;
  if (path !== '' && !oneLine.includes('\n') && indent.length + keyWidth + oneLine.length <= columns)
    return oneLine;
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indent}${close}`;
}
