import { resolve } from 'node:path';
import { createDownloadDirectory } from '../adapters/download-files.ts';
import type { SessionLog } from '../domain/session-log.ts';
import type { BytesFrom } from '../ports/download-directory.ts';
import { type FileFetch, fetchSession } from '../reading/fetch-session.ts';
import { type Edge, exitCode } from './edge.ts';
import { FetchProgress } from './fetch-progress.ts';
import { humanBytes } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { oneLine, plainJson } from './one-line.ts';
import { logOf } from './show.ts';
import { withReading } from './with-reading.ts';

/** `trainlogd get`: log and files of a session, whole and checked; goes on where it was interrupted. */
export function get(edge: Edge, flags: GlobalFlags, id: string, dir: string | undefined): Promise<number> {
  return withReading(edge, flags, async (reading, signal) => {
    const { log, bytes } = await logOf(reading, id, signal);
    const directory = createDownloadDirectory(resolve(edge.cwd, dir ?? id));
    const progress = new FetchProgress(edge, log);
    const files: FileFetch[] = [];
    try {
      const onProgress = (path: string, count: number, from: BytesFrom) =>
        progress.arrived(path, count, from);
      for await (const file of fetchSession(reading, { log, bytes, directory, onProgress }, signal)) {
        files.push(file);
        progress.say(() => {
          if (file.outcome === 'failed') edge.stderr(`not here: ${oneLine(failureText(file))}\n`);
          else if (!flags.json) edge.stdout(`${fileText(file)}\n`);
        });
      }
    } finally {
      progress.end();
    }
    const isAllHere = files.every(({ outcome }) => outcome !== 'failed');
    if (isAllHere) await directory.clean();
    for (const { path, reason } of log.missing)
      edge.stderr(`not in the bucket: ${oneLine(JSON.stringify(path))}: ${reason}\n`);
    edge.stdout(
      flags.json ? jsonOf(log, directory.directory, files) : summary(id, directory.directory, files),
    );
    return isAllHere ? exitCode.ok : exitCode.unsent;
  });
}

function fileText(file: Exclude<FileFetch, { outcome: 'failed' }>): string {
  const was = file.outcome === 'there' ? '  (was there)' : '';
  return `${humanBytes(file.bytes).padStart(9)}  ${oneLine(file.savedAs)}${was}`;
}

function failureText({ path, cause, remedy }: Extract<FileFetch, { outcome: 'failed' }>): string {
  return `${JSON.stringify(path)}: ${cause}: ${remedy}`;
}

function summary(id: string, directory: string, files: readonly FileFetch[]): string {
  const here = files.filter(({ outcome }) => outcome !== 'failed');
  const bytes = here.reduce((sum, file) => sum + file.bytes, 0);
  const all = here.length === files.length ? 'all of' : `${here.length} of`;
  return `${id}: ${all} ${files.length} files, ${humanBytes(bytes)}, checked, in ${oneLine(directory)}\n`;
}

function jsonOf({ session, missing }: SessionLog, directory: string, files: readonly FileFetch[]): string {
  return `${plainJson(JSON.stringify({ session: session.id, directory, files, missing }, null, 2))}\n`;
}
