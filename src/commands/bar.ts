/** `[######----]`, full only when all is there. */
export function bar(part: number, whole: number, columns: number): string {
  const inner = columns - 2;
  const filled = Math.floor(shareOf(part, whole) * inner);
  return `[${'#'.repeat(filled)}${'-'.repeat(inner - filled)}]`;
}

/** `  7 %`, 100 only when all is there. */
export function percent(part: number, whole: number): string {
  return `${Math.floor(shareOf(part, whole) * 100)} %`.padStart(5);
}

function shareOf(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 1;
}
