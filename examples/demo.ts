/**
 * `npm run demo`: the whole way once, on this machine alone. The real daemon watches a fresh folder and ships into a
 * directory that stands in for the bucket; a simulated training writes one session; what arrived is shown.
 */
import { mkdir, mkdtemp, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DaemonLine, Processes } from './demo/processes.ts';
import { prettyJson, Screen } from './demo/screen.ts';

interface Place {
  readonly top: string;
  readonly folder: string;
  readonly bucket: string;
  readonly config: string;
}

const timeoutMs = 60_000;
/** What a person wants to see of the daemon when all goes well; problems are always shown. */
const worthShowing = /^(daemon\.(started|draining|stopped)|session\.(found|sealed|shipped)|file\.uploaded)$/;
/** Long, and all of it stands in the file itself. */
const folded = new Set(['config.raw', 'native.session.json', 'native.result.json', 'provenance']);

const screen = new Screen({
  write: (text) => void process.stdout.write(text),
  colours: process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
});

process.exitCode = await main();

async function main(): Promise<number> {
  const over = new AbortController();
  const tooLate = new Error(`the session did not arrive within ${timeoutMs / 1000} s`);
  const timer = setTimeout(() => over.abort(tooLate), timeoutMs);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => over.abort(new Error(`ended by ${signal}`)));
  const processes = new Processes(over.signal);
  try {
    await demo(processes);
    return 0;
  } catch (error) {
    const reason = over.signal.aborted ? over.signal.reason : error;
    screen.said('failed', reason instanceof Error ? reason.message : String(reason), 'red');
    return 1;
  } finally {
    clearTimeout(timer);
    processes.kill();
  }
}

async function demo(processes: Processes): Promise<void> {
  const place = await makePlace();
  screen.heading('One training session, from its folder to the bucket');
  screen.line(`Everything happens in ${place.top};`);
  screen.line('a directory there stands in for the bucket, so no account is needed.\n');
  const daemon = processes.daemon(place.top, place.config, (line) => showDaemonLine(line, place));
  await daemon.saw(({ event }) => event === 'daemon.started', 'start watching');
  const directory = join(place.folder, 'demo-run');
  const training = processes.training(directory, (line) => screen.said('trainer', line, 'dim'));
  const arrival = daemon.saw(({ event }) => event === 'session.shipped', 'ship the session');
  const [log] = await Promise.all([arrival, training]);
  const exitCode = await daemon.stop();
  if (exitCode !== 0) throw new Error(`stopping trainlogd: expected exit code 0, found ${exitCode}`);
  if (log.key === undefined || log.status !== 'completed' || log.missing !== 0)
    throw new Error(
      `reading the log that arrived: expected completed with nothing missing, found ${log.message}`,
    );
  await showWhatArrived(place, log.key);
  sayWhatIsNext(place);
}

async function makePlace(): Promise<Place> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'trainlogd-demo-')));
  const place = {
    top,
    folder: join(top, 'training-output'),
    bucket: join(top, 'bucket'),
    config: join(top, 'trainlogd.yaml'),
  };
  await mkdir(place.folder);
  const config = {
    watch: { directory: place.folder },
    destination: { url: pathToFileURL(place.bucket).href },
    state: { directory: join(top, 'state') },
    http: { listen: '127.0.0.1:0' },
    log: { level: 'debug', format: 'json' },
  };
  // Every JSON document is a YAML document.
  await writeFile(place.config, `${JSON.stringify(config, null, 2)}\n`);
  return place;
}

function showDaemonLine({ event = '', level, message }: DaemonLine, { top }: Place): void {
  const isProblem = level === 'warn' || level === 'error';
  if (!isProblem && !worthShowing.test(event)) return;
  const short = message.replaceAll(`${pathToFileURL(top).href}/`, '').replaceAll(`${top}/`, '');
  screen.said('trainlogd', short, isProblem ? 'yellow' : 'cyan');
}

async function showWhatArrived({ bucket }: Place, key: string): Promise<void> {
  const log: unknown = JSON.parse(await readFile(join(bucket, key), 'utf8'));
  screen.heading('The log that arrived');
  screen.line(`key: ${key}\n\n${prettyJson(log, folded)}`);
  screen.heading('All that is in the bucket now');
  const entries = await readdir(join(bucket, 'training-logs'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const { size } = await stat(file);
    screen.line(`${String(size).padStart(6)} bytes  ${relative(bucket, file)}`);
  }
}

function sayWhatIsNext({ top }: Place): void {
  screen.heading('Where to look, and what is next');
  screen.line(`Folder, bucket, journal and configuration stay in ${top}`);
  screen.line('until you remove them. For a bucket of yours, put these into a file .env here:');
  screen.line('  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, S3_BUCKET_NAME');
  screen.line('one NAME=value a line. Then look before you ship:');
  screen.line('  npm run trainlogd -- plan DIR   shows what would go where, sends nothing');
  screen.line('  npm start -- DIR                watches DIR and ships, until Ctrl-C');
}
