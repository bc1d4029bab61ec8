import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Line, type Row, rounded } from '../bench.ts';
import { measure } from '../child.ts';
import { makeSessions, makeSparseFile } from '../files.ts';
import { sinkKeys, trainlogd } from '../peers.ts';

const mib = 1024 * 1024;

/** Four large files at once, of ever more bytes, and ever more sessions that wait. */
export const memory: Row = {
  name: 'memory',
  title: 'peak resident memory: four large files at once, and queued sessions of 3 files',
  async run(bench) {
    const lines: Line[] = [];
    for (const kind of ['http', 'https'] as const) {
      for (const totalBytes of (bench.quick ? [100, 400] : [100, 1024, 10 * 1024]).map((n) => n * mib)) {
        const source = bench.directory('large');
        for (const name of ['a', 'b', 'c', 'd']) {
          mkdirSync(join(source, name));
          makeSparseFile(join(source, name, 'events.bin'), totalBytes / 4);
        }
        lines.push(await drain(bench, kind, source, `${Math.round(totalBytes / mib)} MiB in 4 files`, 4));
      }
      for (const count of bench.quick ? [10, 100] : [10, 1000, 10_000]) {
        const source = bench.directory('queued');
        makeSessions(source, count, { files: 3, fileBytes: 1000 });
        lines.push(await drain(bench, kind, source, `${count} sessions`, count * 3));
      }
    }
    return { lines };
  },
};

async function drain(
  bench: Bench,
  kind: 'http' | 'https',
  source: string,
  what: string,
  objectsMin: number,
): Promise<Line> {
  const sink = await bench.sink(kind);
  await sink.reset();
  const to = { ...sinkKeys, endpoint: sink.endpoint, authorityFile: sink.certificate?.authorityFile };
  const measured = await measure(trainlogd.command(bench, { to, source, file: source, parallel: 4 }));
  const { objects, openUploads } = await sink.report();
  if (objects < objectsMin || openUploads > 0)
    throw new Error(`${what}: of ${objectsMin} objects ${objects} are there`);
  bench.say(`  ${kind}, ${what}: ${measured.peakMb.toFixed(0)} MB`);
  return {
    over: kind,
    what,
    'peak MB': rounded(measured.peakMb, 0),
    s: rounded(measured.wallSeconds),
    'CPU s': rounded(measured.cpuSeconds),
  };
}
