import {
  type Assessment,
  type FormatReader,
  type ReadFile,
  UnreadableFile,
} from '../../src/formats/reader.ts';

export interface RunFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly modifiedAtMs?: number;
}

/**
 * What one reader says of the files of one run, read as the program reads them, and what it could not read. Growing files
 * come in `chunkBytes`.
 */
export function readRun(
  reader: FormatReader,
  files: readonly RunFile[],
  { name = 'run', chunkBytes = 1024 * 1024 } = {},
): Assessment & { readonly unread: readonly string[] } {
  const sorted = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const infos = sorted.map(({ path, bytes, modifiedAtMs = 1_700_000_000_000 }) => ({
    path,
    sizeBytes: bytes.length,
    modifiedAtMs,
  }));
  const read: ReadFile[] = [];
  const unread: string[] = [];
  for (const selection of reader.select(infos)) {
    const at = infos.findIndex(({ path }) => path === selection.path);
    const info = infos[at];
    const bytes = sorted[at]?.bytes;
    if (!info || !bytes) throw new Error(`${reader.name} selects ${selection.path}, which is not there`);
    if (selection.manner === 'append') {
      const follower = selection.follow();
      for (let from = 0; from < bytes.length; from += chunkBytes) {
        follower.push(Buffer.from(bytes.subarray(from, from + chunkBytes)));
      }
      read.push({ ...info, segments: [follower] });
      continue;
    }
    try {
      const complete = bytes.length <= selection.bytesMax;
      const parsed = selection.parse(bytes.subarray(0, selection.bytesMax), { ...info, complete });
      read.push({ ...info, parsed });
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      unread.push(`${selection.path}: ${error.message}`);
    }
  }
  return { ...reader.assess(read, { name, files: infos }), unread };
}
