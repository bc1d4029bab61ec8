/** Text that is HTML already. Only `html` makes it, so that nothing else ever goes out as it came in. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static of(text: string): Html {
    return new Html(text);
  }
}

export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * HTML of a literal, every value in it escaped; only values made by `html` itself stay as they are. Values stand in text
 * or in quoted attributes, nowhere else. Nothing for `undefined` and `false`.
 */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = literals.map((literal, at) => (at === 0 ? literal : textOf(values[at - 1]) + literal));
  return Html.of(parts.join(''));
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return value.map(textOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** With what would be invisible, or would turn the text around it, made visible. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu, visible)
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function visible(character: string): string {
  if (character === '\n' || character === '\t') return character;
  const code = character.codePointAt(0) ?? 0;
  // The pictures of control characters.
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
