import { type Row, rounded } from '../bench.ts';
import { makeSessions } from '../files.ts';
import { forSmallFiles, sinkKeys } from '../peers.ts';
import { contest, withRatios } from './against-peers.ts';

const filesEach = 3;
const fileBytes = 10_000;

/** The whole way: recognised, assembled, journalled, announced, sent, verified, final logs written. */
export const sessions: Row = {
  name: 'sessions',
  title: '10,000 sessions of 3 files of 10 kB, the whole way, 16 in flight, over http',
  async run(bench) {
    const count = bench.quick ? 200 : 10_000;
    const source = bench.directory('sessions');
    makeSessions(source, count, { files: filesEach, fileBytes });
    const files = count * filesEach;
    const sink = await bench.sink('http');
    const lines = await contest(bench, {
      sink,
      peers: forSmallFiles,
      job: { source, file: undefined, parallel: 16 },
      to: () => ({ ...sinkKeys, endpoint: sink.endpoint, authorityFile: undefined }),
      objectsMin: files,
      bytesMin: files * fileBytes,
      line: (_, { wallSeconds, cpuSeconds, peakMb }) => ({
        'files/s': rounded(files / wallSeconds, 0),
        s: rounded(wallSeconds, 2),
        'CPU ms/file': rounded((cpuSeconds * 1000) / files, 3),
        'peak MB': rounded(peakMb, 0),
      }),
    });
    return { lines: withRatios(lines, 'files/s') };
  },
};
