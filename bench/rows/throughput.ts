import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Line, type Row, rounded } from '../bench.ts';
import { makeLargeFile } from '../files.ts';
import { forLargeFiles, sinkKeys } from '../peers.ts';
import { contest, withRatios } from './against-peers.ts';

const mib = 1024 * 1024;

function row(kind: 'http' | 'https'): Row {
  return {
    name: `throughput-${kind}`,
    title: `one file of 1 GiB in parts of 8 MiB, 4 in parallel, over ${kind}`,
    run: async (bench) => ({ lines: await run(bench, kind) }),
  };
}

async function run(bench: Bench, kind: 'http' | 'https'): Promise<Line[]> {
  const sizeBytes = (bench.quick ? 64 : 1024) * mib;
  const source = bench.directory('large');
  const session = join(source, 'run-1');
  mkdirSync(session);
  const file = join(session, 'events.bin');
  makeLargeFile(file, sizeBytes);
  const sink = await bench.sink(kind);
  const lines = await contest(bench, {
    sink,
    peers: forLargeFiles,
    job: { source, file, parallel: 4 },
    to: () => ({ ...sinkKeys, endpoint: sink.endpoint, authorityFile: sink.certificate?.authorityFile }),
    objectsMin: 1,
    bytesMin: sizeBytes,
    line: (_, { wallSeconds, cpuSeconds, peakMb }) => ({
      'MB/s': rounded(sizeBytes / 1e6 / wallSeconds),
      s: rounded(wallSeconds, 2),
      'CPU s/GB': rounded(cpuSeconds / (sizeBytes / 1e9), 2),
      'peak MB': rounded(peakMb, 0),
    }),
  });
  return withRatios(lines, 'MB/s');
}

export const throughputHttp = row('http');
export const throughputHttps = row('https');
