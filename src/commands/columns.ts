/** Of East Asian scripts and of pictures each takes two columns; the ranges of Unicode's East Asian Width, roughly. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const none = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns of a terminal a line takes that `oneLine` made. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfOne(character);
  return columns;
}

function columnsOfOne(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (none.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Its beginning; a line that is too long ends in a dot of its own. */
export function cutEnd(text: string, max: number): string {
  if (columnsOf(text) <= max) return text;
  return `${taken(text, max - 1)}…`;
}

/** Its end, which tells files of one directory apart. */
export function cutStart(text: string, max: number): string {
  if (columnsOf(text) <= max) return text;
  const reversed = [...text].reverse().join('');
  return `…${[...taken(reversed, max - 1)].reverse().join('')}`;
}

function taken(text: string, max: number): string {
  let columns = 0;
  let at = 0;
  for (const character of text) {
    columns += columnsOfOne(character);
    if (columns > max) break;
    at += character.length;
  }
  return text.slice(0, at);
}

/** At spaces; a word that is longer than a line stays whole, so that it can be copied. */
export function wrapped(text: string, first: string, next: string, max: number): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && columnsOf(line) + 1 + columnsOf(word) > max) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Pieces that each fit, wherever that cuts. */
export function pieces(line: string, max: number): string[] {
  const found: string[] = [];
  for (let rest = line; ; ) {
    const piece = columnsOf(rest) <= max ? rest : taken(rest, max);
    found.push(piece);
    // A character that is wider than the screen is left to the terminal.
    if (piece === '' || piece.length === rest.length) return found;
    rest = rest.slice(piece.length);
  }
}
