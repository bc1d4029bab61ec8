import { resolve } from 'node:path';
import { checkMount } from '../adapters/check-mount.ts';
import { realFolder } from '../adapters/real-folder.ts';
import { type LoadedConfig, type LoadInputs, loadConfig } from '../config/load.ts';
import { ConfigError, type ConfigRemains } from '../config/problem.ts';
import type { Config, OptionKey } from '../config/schema.ts';
import type { Edge } from './edge.ts';
import { hungAmong } from './hung-among.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { NoAnswer, type Place, type Silent, saidOf } from './no-answer.ts';

/** A configuration whose places were asked before anything looked at them. */
export interface Answering extends LoadedConfig {
  /** Places that do not answer: a call to one would neither end nor let this process end. */
  readonly silent: readonly Silent[];
  /** The watched folder by its real path; as configured where it does not answer, or is not there. */
  readonly folder: string;
}

export interface Asked {
  readonly overrides?: Partial<Record<OptionKey, unknown>>;
  /** What the command looks at. A link of the others may lead anywhere: none is followed. */
  readonly looksAt?: readonly Place[];
  /** What it cannot do without. */
  readonly needs?: readonly Place[];
}

const everything: readonly Place[] = ['folder', 'state', 'destination'];

/** Of who reads the journal, or asks who has it. The folder names what is its own there. */
export const theJournal: Asked = { looksAt: ['folder', 'state'], needs: ['state'] };

/** The configuration, its links followed only where that comes to an end. Throws ConfigError and NoAnswer. */
export async function loadAnswering(edge: Edge, flags: GlobalFlags, asked: Asked = {}): Promise<Answering> {
  const { inputs, silent, warnings } = await answeringInputs(edge, flags, asked);
  const loaded = loadConfig(inputs);
  const lost = silent.filter(([place]) => asked.needs?.includes(place));
  if (lost.length > 0) throw new NoAnswer(lost);
  const { directory } = loaded.config.watch;
  const folder = inputs.follow ? directory : realFolder(directory);
  return { ...loaded, warnings: [...loaded.warnings, ...warnings], silent, folder };
}

/** The same before it is loaded, with what there is to say of places that do not answer. Throws NoAnswer. */
export async function answeringInputs(
  edge: Edge,
  flags: GlobalFlags,
  { overrides = {}, looksAt = everything }: Asked = {},
): Promise<Pick<Answering, 'silent' | 'warnings'> & { readonly inputs: LoadInputs }> {
  const inputs = loadInputs(edge, flags, overrides);
  await assertReadable(edge, inputs);
  const byName: LoadInputs = { ...inputs, follow: (path) => path };
  const silent = await silentOf(
    edge,
    placesIn(byName).filter(([place]) => looksAt.includes(place)),
  );
  const isFollowed = silent.length === 0 && looksAt.includes('folder');
  return {
    inputs: isFollowed ? inputs : byName,
    silent,
    warnings: silent.map((one) => `${saidOf(one)}: ${checkMount}`),
  };
}

/** Those of a configuration that is in force. */
export function silentIn(edge: Edge, config: Config): Promise<readonly Silent[]> {
  return silentOf(edge, placesOf(config));
}

async function silentOf(edge: Edge, places: readonly Silent[]): Promise<readonly Silent[]> {
  const hung = await hungAmong(
    edge,
    places.map(([, path]) => path),
  );
  return places.filter(([, path]) => hung.has(path));
}

/** A home on a network file system holds the configuration of many a host. Throws NoAnswer. */
export async function assertReadable(
  edge: Edge,
  { cwd, envFile, configFile, env }: LoadInputs,
): Promise<void> {
  const files = [envFile ?? '.env', configFile ?? env['TRAINLOGD_CONFIG']];
  const silent = await silentOf(
    edge,
    files.flatMap((file): Silent[] => (file ? [['file', resolve(cwd, file)]] : [])),
  );
  if (silent.length > 0) throw new NoAnswer(silent);
}

function placesIn(byName: LoadInputs): readonly Silent[] {
  try {
    return placesOf(loadConfig(byName).config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return places(error.remains); // reason: whoever loads it next says what is wrong
  }
}

function placesOf({ watch, state, destination }: Config): readonly Silent[] {
  return places({ watchedDirectory: watch.directory, stateDirectory: state.directory, destination });
}

function places({ watchedDirectory, stateDirectory, destination }: ConfigRemains): readonly Silent[] {
  const local = destination?.kind === 'directory' ? destination.path : undefined;
  const paths: [Place, string | undefined][] = [
    ['folder', watchedDirectory],
    ['state', stateDirectory],
    ['destination', local],
  ];
  return paths.flatMap(([place, path]): Silent[] => (path === undefined ? [] : [[place, path]]));
}
