import { type Bench, type Line, median, rounded } from '../bench.ts';
import { type Measured, measure } from '../child.ts';
import type { Destination, Job, Peer } from '../peers.ts';
import type { Sink, SinkReport } from '../sink-process.ts';

interface Round extends Measured {
  readonly report: SinkReport;
}

export interface Contest {
  readonly sink: Pick<Sink, 'reset' | 'report'>;
  readonly peers: readonly Peer[];
  readonly job: Omit<Job, 'to'>;
  readonly to: () => Destination;
  /** What must have arrived at least, or the round does not count. */
  readonly objectsMin: number;
  readonly bytesMin: number;
  readonly line: (peer: Peer, rounds: { wallSeconds: number; cpuSeconds: number; peakMb: number }) => Line;
}

/** All peers send the same files, one after the other, again and again; a first round in which all is verified is not counted. */
export async function contest(bench: Bench, contest: Contest): Promise<Line[]> {
  const { peers } = contest;
  const present = peers.filter((peer) => peer.missing() === undefined);
  const rounds = new Map<Peer, Round[]>(present.map((peer) => [peer, []]));
  const failed = new Map<Peer, string>();
  for (let round = 0; round <= bench.rounds; round++) {
    for (const peer of present) {
      if (failed.has(peer)) continue;
      try {
        const measured = await runOnce(bench, contest, peer, round === 0);
        if (round > 0) rounds.get(peer)?.push(measured);
        bench.say(`  round ${round}, ${peer.name}: ${measured.wallSeconds.toFixed(2)} s`);
      } catch (error) {
        failed.set(peer, error instanceof Error ? error.message : String(error));
        bench.say(`  ${peer.name}: ${failed.get(peer)}`);
      }
    }
  }
  return peers.map((peer): Line => {
    const why = peer.missing() ?? failed.get(peer);
    if (why !== undefined)
      return { who: peer.name, remark: why.trim().split('\n').at(-1)?.slice(0, 100) ?? '' };
    const all = rounds.get(peer) ?? [];
    const of = (value: (round: Round) => number) => median(all.map(value));
    const last = all.at(-1)?.report;
    return {
      who: peer.name,
      ...contest.line(peer, {
        wallSeconds: of((one) => one.wallSeconds),
        cpuSeconds: of((one) => one.cpuSeconds),
        peakMb: of((one) => one.peakMb),
      }),
      requests: Object.values(last?.requests ?? {}).reduce((sum, count) => sum + count, 0),
      'sink CPU s': rounded(of((one) => one.report.cpuSeconds)),
    };
  });
}

async function runOnce(bench: Bench, contest: Contest, peer: Peer, verify: boolean): Promise<Round> {
  const { sink, job, to, objectsMin, bytesMin } = contest;
  await sink.reset({ verify, etags: peer.comparesEtags ?? false });
  const measured = await measure(peer.command(bench, { ...job, to: to() }));
  const report = await sink.report();
  if (report.objects < objectsMin || report.objectBytes < bytesMin || report.openUploads > 0) {
    throw new Error(
      `${peer.name} ended well, but of ${objectsMin} objects with ${bytesMin} bytes there are ${report.objects} with ${report.objectBytes}, and ${report.openUploads} open uploads`,
    );
  }
  return { ...measured, report };
}

/** Adds how many times as good as each peer the first line is. */
export function withRatios(lines: readonly Line[], rate: string): Line[] {
  const own = Number(lines[0]?.[rate]);
  return lines.map((line, index) => {
    const theirs = Number(line[rate]);
    return index === 0 || Number.isNaN(theirs)
      ? line
      : { ...line, 'ours / theirs': rounded(own / theirs, 2) };
  });
}
