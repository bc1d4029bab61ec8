import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createHostTools } from '../adapters/host-tools.ts';
import { systemClock } from '../adapters/system-time.ts';
import { createAccess } from '../compose-access.ts';
import { type LoadInputs, loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { examine } from '../doctor/examine.ts';
import type { Configured, Limits } from '../doctor/patient.ts';
import { checks } from '../doctor/registry.ts';
import { hider } from '../doctor/secrets.ts';
import { defaultLimits, startVisit, type Visit } from '../doctor/visit.ts';
import { within } from '../doctor/within.ts';
import type { HostTools } from '../probes/host-tools.ts';
import { assertReadable } from './answering.ts';
import { examinationText } from './doctor-text.ts';
import type { Edge } from './edge.ts';
import { hungAmong } from './hung-among.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';

export interface DoctorFlags extends GlobalFlags {
  readonly write?: boolean;
}

export const doctorExit = { well: 0, wrong: 1 } as const;

/** `trainlogd doctor`: everything that could keep logs from the bucket, whatever of it is wrong already. */
export async function doctor(edge: Edge, flags: DoctorFlags, limits: Partial<Limits> = {}): Promise<number> {
  const lasting = { ...defaultLimits, ...limits };
  const tools = toolsOf(edge);
  const inputs = loadInputs(edge, flags);
  await assertReadable(edge, inputs);
  const configured = await configuredBy(inputs, (paths) => hungAmong(edge, paths, lasting.folderMs));
  const { destination } = configured;
  const quiet = { emit: () => undefined };
  const visit = startVisit({
    ...configured,
    machine: { env: edge.env, hostName: hostname(), proc: '/proc', run: tools.run },
    clock: systemClock,
    limits: lasting,
    access: destination && createAccess({ destination }, systemClock, quiet),
    write: flags.write === true,
  });
  const key = destination?.kind === 's3' ? destination.credentials : undefined;
  const examination = await examine(visit, checks, async () => {
    const held = await within(systemClock, askMs, undefined, heldCredentials(visit));
    return hider(
      edge.env,
      [key, held].flatMap((one) => [one?.secretAccessKey, one?.sessionToken]),
    );
  });
  edge.stdout(flags.json ? `${JSON.stringify(examination, null, 2)}\n` : examinationText(examination));
  return examination.level === 'critical' ? doctorExit.wrong : doctorExit.well;
}

/** Of timedatectl and systemctl. */
const runMs = 2_000;
/** Had by now or not at all. */
const askMs = 100;

function toolsOf({ env }: Edge): HostTools {
  const path = env['PATH'] ?? '';
  return createHostTools({ clock: systemClock, hostName: hostname(), path, limits: { runMs } });
}

function heldCredentials({ access }: Visit) {
  return async () => await access?.credentials.current().catch(() => undefined); // reason: told as a finding
}

/** Links are followed only where that comes to an end. */
async function configuredBy(
  inputs: LoadInputs,
  askFor: (paths: readonly string[]) => Promise<Configured['hung']>,
): Promise<Configured> {
  const byName = load({ ...inputs, follow: (path) => path });
  const { watchedDirectory, stateDirectory, destination } = byName;
  const local = destination?.kind === 'directory' ? destination.path : undefined;
  const hung = await askFor([watchedDirectory, stateDirectory, local].filter((path) => path !== undefined));
  return { ...(hung.size === 0 ? load(inputs) : byName), hung };
}

type Loaded = Omit<Configured, 'hung'>;

function load(inputs: LoadInputs): Loaded {
  const envFile = resolve(inputs.cwd, inputs.envFile ?? '.env');
  try {
    const { config, warnings, configFile, sources } = loadConfig(inputs);
    const files = Object.values(sources).flatMap(({ layer }) => (layer === 'dotenv' ? [envFile] : []));
    const variables = Object.values(sources).some(({ layer }) => layer === 'environment');
    const readFrom = [
      ...(configFile === undefined ? [] : [configFile]),
      ...new Set(files),
      ...(variables ? ['the environment'] : []),
    ];
    const { watch, state, destination } = config;
    const places = { watchedDirectory: watch.directory, stateDirectory: state.directory, destination };
    return { config, problems: [], warnings, readFrom, envFile, ...places };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems, warnings, remains } = error;
    return { problems, warnings, readFrom: [], envFile, ...remains };
  }
}
