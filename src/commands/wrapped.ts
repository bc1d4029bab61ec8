import { oneLine } from './one-line.ts';

const widthMax = 80;

/** Words in lines of at most 80 columns, where words allow: the first begins with `first`, each further one with `next`. */
export function wrapped(text: string, first: string, next: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of oneLine(text).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > widthMax) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
