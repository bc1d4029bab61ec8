import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileStat } from '../ports/file-source.ts';
import type { FileRecord, NewFile } from '../ports/journal.ts';
import type { SessionFile, SortedFiles } from './sort-files.ts';

/** Boot and file times are of one clock, which may have been set since. */
const marginMs = 1000;

/** A file that lost bytes with the power: what the bucket has of it is more than the disk has. */
export interface CutFile {
  readonly file: SessionFile;
  readonly row: FileRecord;
}

/**
 * A file may be in the bucket before its bytes are on the disk. When the power goes then, it comes back shorter or empty, with
 * the times that it had: nobody cut it, and what it has now must not take the place of the longer object. Anything that is
 * written to it after the start of this host is a change like any other.
 */
export function withoutCut(
  sorted: SortedFiles,
  known: ReadonlyMap<WatchedPath, FileRecord>,
  bootedAtMs: number,
): { readonly sorted: SortedFiles; readonly cut: readonly CutFile[] } {
  const cut: CutFile[] = [];
  const companions = sorted.companions.filter((file) => {
    const row = known.get(file.path);
    if (!row || !wasCut(row, file.entry.stat, bootedAtMs - marginMs)) return true;
    cut.push({ file, row });
    return false;
  });
  if (cut.length === 0) return { sorted, cut };
  return { sorted: { ...sorted, companions, warnings: [...sorted.warnings, ...cut.map(warning)] }, cut };
}

/** As the journal knows it: it stays what it is in the bucket. */
export function asKnown({ row: { path, role, key, sizeBytes, fingerprint, claim } }: CutFile): NewFile {
  return { path, role, key, sizeBytes, fingerprint, claim };
}

function wasCut(row: FileRecord, stat: FileStat, beforeMs: number): boolean {
  if (row.role !== 'companion' || row.state !== 'uploaded' || !row.receipt) return false;
  const isShorter = stat.sizeBytes < row.sizeBytes;
  return isShorter && row.receipt.receivedAtMs < beforeMs && lastTimeMs(stat) < beforeMs;
}

function lastTimeMs({ mtimeNs, ctimeNs }: FileStat): number {
  return Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
}

function warning({ file: { path, entry }, row }: CutFile): string {
  return `${displayPath(path)}: ${row.sizeBytes} bytes of it arrived before this host was started, the disk has ${entry.stat.sizeBytes} of them since, and nobody wrote to it: the power went too early. The bucket keeps what it has; touch the file to have it there as it is here`;
}
