/**
 * The candidate that a misspelt name most likely means, or undefined when none is near.
 * Case, `-`, `_` and `.` do not count, and a bare last part (`settle`) finds its key (`watch.settle`).
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = looseDistance(
      wanted,
      fold(candidate),
      fold(candidate.slice(candidate.lastIndexOf('.') + 1)),
    );
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The last part alone, and a shortened or lengthened name, are weaker evidence than the whole name. */
function looseDistance(wanted: string, whole: string, last: string): number {
  const distance = Math.min(editDistance(wanted, whole), editDistance(wanted, last) + 0.5);
  const lengthened = wanted.length >= 4 && (whole.startsWith(wanted) || wanted.startsWith(whole));
  return lengthened ? Math.min(distance, 1.5) : distance;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
        swapped ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '');
}
