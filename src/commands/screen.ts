/** Sequences of ECMA-48 and xterm that every terminal of today knows; those that do not know one ignore it. */
const csi = '\u001b[';
const enter = `${csi}?1049h${csi}?25l${csi}2J`;
const leave = `${csi}?25h${csi}?1049l`;
/** A frame appears at once, where the terminal can do that. */
const [begin, commit] = [`${csi}?2026h`, `${csi}?2026l`];

/** The other screen of a terminal, drawn over in place; the one with the user's work comes back when it is left. */
export class Screen {
  readonly #write: (text: string) => void;
  #isEntered = false;
  #shown = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Lines that fit, already painted. What is there already is not written again. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) this.#write(enter);
    this.#isEntered = true;
    const text = lines.map((line) => `${line}${csi}K`).join('\r\n');
    if (text === this.#shown) return;
    this.#shown = text;
    this.#write(`${begin}${csi}H${text}${csi}J${commit}`);
  }

  /** Something else may have been written there: the next frame is drawn on nothing. */
  forget(): void {
    if (!this.#isEntered) return;
    this.#shown = '';
    this.#write(`${csi}?25l${csi}2J`);
  }

  leave(): void {
    if (this.#isEntered) this.#write(leave);
    this.#isEntered = false;
    this.#shown = '';
  }
}
