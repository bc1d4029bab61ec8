import { GrowingText } from './growing-text.ts';

export const lineLengthMax = 16 * 1024;

/** Colours, cursor movements and window titles of a terminal (ECMA-48 control sequences; OSC up to its end). */
const esc = '\\u001b';
const bell = '\\u0007';
const controlSequences = new RegExp(
  `${esc}(?:\\[[0-?]{0,64}[ -/]{0,8}[@-~]|\\][^${bell}${esc}]{0,512}(?:${bell}|${esc}\\\\)|[()][0-9A-B]|[@-Z\\\\^_])`,
  'g',
);

/**
 * Text of a growing file as the lines that a person would have seen: of what a progress bar wrote over and over, the last
 * state; without colours. UTF-8 with replacement, UTF-16 where a byte order mark says so. An unfinished last line waits.
 * Lines are cut at `lineLengthMax` characters.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #text = new GrowingText();
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** What came after the last end of line, as far as it goes. */
  get unfinished(): string {
    return shown(this.#rest);
  }

  push(bytes: Buffer): void {
    this.#take(this.#text.write(bytes));
  }

  #take(text: string): void {
    const pieces = text.split('\n');
    for (const [at, piece] of pieces.entries()) {
      this.#append(piece);
      if (at < pieces.length - 1) this.#end();
    }
  }

  #append(piece: string): void {
    this.#rest += piece;
    if (this.#rest.length <= lineLengthMax) return;
    // Only the last state of a progress bar is ever shown; what lies before the last carriage return can go. One at the
    // end says nothing yet, but must be seen when more comes: where the bytes were cut must make no difference.
    const ended = this.#rest.endsWith('\r');
    const line = withoutReturns(this.#rest);
    this.#rest = line.slice(line.lastIndexOf('\r') + 1).slice(0, lineLengthMax) + (ended ? '\r' : '');
  }

  #end(): void {
    const line = shown(this.#rest);
    this.#rest = '';
    this.#onLine(line);
  }
}

/** What a terminal shows of a line. */
function shown(raw: string): string {
  const line = withoutReturns(raw);
  const last = line.slice(line.lastIndexOf('\r') + 1);
  return last.replace(controlSequences, '').slice(0, lineLengthMax);
}

/** Not by a regex: for that, many of them in the middle of a line take the square of their number. */
function withoutReturns(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\r') end -= 1;
  return text.slice(0, end);
}
