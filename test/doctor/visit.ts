import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../../src/adapters/system-time.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Machine } from '../../src/doctor/patient.ts';
import { defaultLimits, startVisit, type Visit } from '../../src/doctor/visit.ts';
import { makePlace, type Place } from '../support/agent.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the system, below `/proc`. */
  readonly proc?: Readonly<Record<string, string>>;
  /** What programs print, by their name. */
  readonly prints?: Readonly<Record<string, string>>;
  readonly more?: (place: Place) => Partial<Visit>;
}

/** A place that is well but for what is given. */
export async function visitOf(given: Given): Promise<{ place: Place; visit: Visit }> {
  const place = await makePlace();
  const env = { ...place.env, ...given.env };
  const { config } = loadConfig({
    env,
    cwd: place.folder,
    homeDirectory: env['HOME'],
    isRoot: false,
    hostname: 'host',
  });
  const { watch, state, destination } = config;
  const started = startVisit({
    config,
    problems: [],
    hung: new Set(),
    warnings: [],
    readFrom: [],
    envFile: join(place.folder, '.env'),
    watchedDirectory: watch.directory,
    stateDirectory: state.directory,
    destination,
    machine: await machineOf(env, given),
    clock: systemClock,
    limits: { ...defaultLimits, folderMs: 1_000, connectMs: 500, requestMs: 500 },
    access: undefined,
    write: false,
  });
  return { place, visit: { ...started, ...given.more?.(place) } };
}

async function machineOf(env: Machine['env'], { proc, prints = {} }: Given): Promise<Machine> {
  const run: Machine['run'] = async (program) => prints[program];
  if (proc === undefined) return { env, hostName: 'host', proc: '/proc', run };
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'self'));
  for (const [path, text] of Object.entries(proc)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return { env, hostName: 'host', proc: directory, run };
}
