const barsMax = 16;

/** What tqdm writes: `45%|####  | 52/115 [01:00<01:10, 1.2s/it]`. */
const pattern = /\d{1,3}%\|[^|]{0,400}\| {0,8}([\d.]{1,12}[kMG]?)\/([\d.]{1,12}[kMG]?) \[/;

/**
 * Progress bars by their totals. A bar draws itself once more when it is torn down, some steps ahead of what it showed
 * last: only one that moves on from there, ends or begins anew says that work went on.
 */
export class Bars {
  #known = new Map<number, number>();

  adopt(other: Bars): void {
    this.#known = new Map(other.#known);
  }

  /** `afterFailure`: does something stand before this line that looks like the end? Undefined: no bar. */
  take(line: string, afterFailure: boolean): 'moved' | 'stood' | undefined {
    if (!line.includes('%|')) return undefined;
    const match = pattern.exec(line);
    if (match === null) return undefined;
    const done = count(match[1]);
    const total = count(match[2]);
    const before = this.#known.get(total);
    if (!afterFailure || before === undefined) this.#remember(total, done);
    if (!afterFailure) return 'stood';
    if (before === undefined) return done >= total ? 'moved' : 'stood';
    return done < before || done > before + Math.max(5, total / 50) ? 'moved' : 'stood';
  }

  #remember(total: number, done: number): void {
    this.#known.delete(total);
    this.#known.set(total, done);
    const [oldest] = this.#known.keys();
    if (this.#known.size > barsMax && oldest !== undefined) this.#known.delete(oldest);
  }
}

function count(text = ''): number {
  const scale = { k: 1e3, M: 1e6, G: 1e9 }[text.slice(-1)];
  return scale ? Number(text.slice(0, -1)) * scale : Number(text);
}
