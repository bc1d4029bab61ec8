import { wrapped as wrappedLine } from './columns.ts';
import { oneLine } from './one-line.ts';

const columnsMax = 80;

/** Words in lines of at most 80 columns, where words allow: the first begins with `first`, each further one with `next`. */
export function wrapped(text: string, first: string, next: string): string[] {
  return wrappedLine(oneLine(text), first, next, columnsMax);
}
