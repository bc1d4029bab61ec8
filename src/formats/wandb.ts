import type { JsonValue } from '../domain/json.ts';
import { comparePaths, displayPath, type WatchedPath } from '../domain/watched-path.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { joinHistories } from './parts/join-histories.ts';
import { closingMs, wentOnAfter } from './parts/later-activity.ts';
import { jsonBytesMax, parseLenientJson } from './parts/lenient-json.ts';
import { isWandbLog } from './parts/leveldb-log.ts';
import { parseSafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { takeRun, type WandbRun } from './parts/wandb-facts.ts';
import { WandbFollower } from './parts/wandb-records.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  type Selection,
} from './reader.ts';

/**
 * Run directories of wandb, online and offline: `{run,offline-run}-<YYYYmmdd_HHMMSS>-<id>/run-<id>.wandb` and `files/`.
 * A tracker beside a training: it says no framework. Of several runs the last one speaks.
 */

const runsMax = 8;
const runDirectory = /^(?:offline-)?run-(\d{8}_\d{6})-[\w.-]{1,128}$/;
const placed =
  /^((?:.*\/)?(?:offline-)?run-(\d{8}_\d{6})-[\w.-]{1,128}\/)?(run-[\w.-]{1,128}\.wandb|files\/(?:config\.yaml|wandb-summary\.json|wandb-metadata\.json))$/;
/** Folders of many runs; what lies in them is found on its own. */
const collections = ['runs', 'lightning_logs', 'mlruns', 'outputs', 'multirun'];

export const wandbReader: FormatReader = {
  name: 'wandb',
  looksInto: /^wandb$/,

  recognise(directory) {
    const { name, names } = directory;
    // A copy of the last run's directory where links could not be made, also `latest-run.<pid>`.
    if (name.startsWith('latest-run')) return undefined;
    const log = [...names].find((file) => /^run-[\w.-]{1,128}\.wandb$/.test(file));
    if (log !== undefined) {
      return {
        confidence: 'likely',
        reason: log,
        proof: { paths: [log], bytesMax: 64, believe: isWandbLog },
      };
    }
    if (!names.has('wandb') || collections.some((one) => names.has(one))) return undefined;
    if (name === '' && !isOneRun(names)) return undefined;
    const run = [...directory.below('wandb')].find((one) => runDirectory.test(one));
    return run === undefined ? undefined : { confidence: 'likely', reason: `wandb/${run}` };
  },

  select(files) {
    const runs = new Set(lastRuns(files.flatMap(placeOf)));
    return files.flatMap((file) => {
      const place = placeOf(file)[0];
      return place && runs.has(place.run) ? [selectionOf(place)] : [];
    });
  },

  assess(read, session) {
    const places = read.flatMap((file) => placeOf(file).map((place) => ({ ...place, read: file })));
    const runs = lastRuns(places).map((run) => runOf(run, places));
    const last = runs[0];
    if (last === undefined) return nothing;
    const facts = new FactCollector();
    takeRun(facts, last);
    const sameRun = runs.filter(({ log }) => log?.runId !== undefined && log.runId === last.log?.runId);
    const histories = sameRun.toReversed().flatMap(({ log }) => log?.history.build() ?? []);
    if (last.logPath !== undefined) facts.history(joinHistories(histories), last.logPath);
    return facts.assessment(endingOf(last, session.files));
  },
};

/** Of the watched folder: what lies in it may be any number of runs, the directory of wandb holds some of them. */
function isOneRun(names: ReadonlySet<string>): boolean {
  const others = [...names].filter((one) => one !== 'wandb');
  return others.length > 0 && others.every((one) => one.includes('.'));
}

interface Place {
  readonly path: WatchedPath;
  /** Directory of the run with its slash, or nothing where the session is one. */
  readonly run: string;
  readonly stamp: string;
  readonly file: string;
}

function placeOf({ path }: FileInfo): Place[] {
  if (/(?:^|\/)latest-run[^/]*\//.test(path)) return [];
  const match = placed.exec(path);
  if (match === null) return [];
  const [, run = '', stamp = '', file = ''] = match;
  return [{ path, run, stamp, file }];
}

/** The newest first. */
function lastRuns(places: readonly Place[]): string[] {
  const stamps = new Map(places.map(({ run, stamp }) => [run, stamp]));
  const sorted = [...stamps].sort((a, b) => comparePaths(b[1], a[1]) || comparePaths(b[0], a[0]));
  return sorted.slice(0, runsMax).map(([run]) => run);
}

function selectionOf({ path, file }: Place): Selection {
  const common = { path, keep: 'companion' } as const;
  if (file.endsWith('.wandb')) return { ...common, manner: 'append', follow: () => new WandbFollower() };
  const isYaml = file.endsWith('.yaml');
  const parse = (bytes: Buffer) => (isYaml ? parseSafeYaml(bytes) : parseLenientJson(bytes)).value;
  return { ...common, manner: 'whole', bytesMax: isYaml ? yamlBytesMax : jsonBytesMax, parse };
}

function runOf(run: string, places: readonly (Place & { read: ReadFile })[]): WandbRun {
  const own = places.filter((place) => place.run === run);
  const log = own.find(({ file }) => file.endsWith('.wandb'));
  // `select` chose it: `follow` and `parse` made what is remembered.
  const follower = log?.read.segments?.at(-1) as WandbFollower | undefined;
  const documents = own.flatMap(({ file, path, read }) =>
    read.parsed === undefined
      ? []
      : [[file.slice('files/'.length), { path, value: read.parsed as JsonValue }] as const],
  );
  return {
    ...(follower && log && { log: follower, logPath: log.path, logModifiedAtMs: log.read.modifiedAtMs }),
    documents: new Map(documents),
  };
}

/** 255 is what an interrupted program leaves: a KeyboardInterrupt (wandb/sdk: the hook for exceptions). */
function endingOf(
  { log, logPath, logModifiedAtMs }: WandbRun,
  files: readonly FileInfo[],
): Ending | undefined {
  if (log?.exit === undefined || logPath === undefined || wentOnAfter(logModifiedAtMs ?? 0, files))
    return undefined;
  const { code } = log.exit;
  const by = displayPath(logPath);
  if (code === 0 && log.isEvaluation) return undefined;
  if (code === 0) return { status: 'completed', by, quietMs: closingMs };
  const status = log.isPreempting ? 'interrupted' : code === 255 || code === 130 ? 'cancelled' : 'failed';
  return { status, by, error: `exit code ${code}`, quietMs: closingMs };
}
