/**
 * npm run torture -- [--kills N] [--seed S] [--faults] [--minutes M] [--json] [--keep]
 *
 * Kills the real program N times at named steps and at random moments, and counts what is in the bucket afterwards.
 * With --minutes it ends by then, with fewer kills. With --keep bucket and directories stay.
 * Exit code 1 when anything was lost, torn, or sent more often than it must be.
 */
import { parseArgs } from 'node:util';
import { acquireS3Server } from '../support/s3-server.ts';
import { seedOf } from '../support/seeded-random.ts';
import type { Cleanup } from '../support/trainlogd.ts';
import { showReport } from './report-text.ts';
import { torture } from './torture.ts';

const say = (text: string) => process.stderr.write(text);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '' },
      faults: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const kills = Number(values.kills);
  const seed = values.seed === '' ? seedOf({}) : Number(values.seed);
  const minutesMax = values.minutes === undefined ? undefined : Number(values.minutes);
  if (Number.isNaN(minutesMax) || !Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
    say('usage: npm run torture -- [--kills N] [--seed S] [--faults] [--minutes M] [--json] [--keep]\n');
    return 64;
  }
  const server = await acquireS3Server(process.env);
  if (!server.available) {
    say(`no S3 server: ${server.reason}\n`);
    return 69;
  }
  Object.assign(process.env, server.env);
  const cleanups: (() => void | Promise<void>)[] = [];
  const cleanUp = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    server.release();
  };
  process.once('SIGINT', () => void cleanUp().then(() => process.exit(130)));
  try {
    const context: Cleanup = {
      onTestFinished: (cleanup) => void cleanups.push(cleanup),
      onTestFailed: () => {},
    };
    const { faults, keep } = values;
    const onKilled = progress(kills, seed);
    const onLeft = (bucket: string, error: unknown) => say(`bucket ${bucket} is left: ${String(error)}\n`);
    const report = await torture(context, { kills, seed, faults, keep, minutesMax, onKilled, onLeft });
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : showReport(report));
    return report.problems.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

function progress(kills: number, seed: number): (killed: number) => void {
  if (!process.stderr.isTTY)
    return (killed) => {
      if (killed % 50 === 0) say(`${new Date().toISOString()} ${killed} of ${kills} kills, seed ${seed}\n`);
    };
  return (killed) => say(`\r${killed} of ${kills} kills, seed ${seed}${killed === kills ? '\n' : ''}`);
}
