import { hostname, tmpdir } from 'node:os';
import { createFolderSource } from '../adapters/folder-source.ts';
import { createProcessTable } from '../adapters/proc-table.ts';
import { systemClock } from '../adapters/system-time.ts';
import { realFolder, rootRules } from '../compose-parts.ts';
import { composePlaces } from '../compose-places.ts';
import { loadConfig } from '../config/load.ts';
import { createCompanionFilter } from '../domain/companion-filter.ts';
import { readOneFileSession } from '../formats/native.ts';
import { formatReaders } from '../formats/registry.ts';
import { type FolderPlan, planFolder, type SessionPlan } from '../services/planner.ts';
import { SessionReadings } from '../services/session-reading.ts';
import { type Edge, exitCode } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { oneLine } from './one-line.ts';

/** `trainlogd plan`: what would be recognised and shipped, under which keys. Sends nothing, writes nothing. */
export async function plan(edge: Edge, flags: GlobalFlags, directory: string | undefined): Promise<number> {
  const { config, warnings } = loadConfig(loadInputs(edge, flags, { 'watch.directory': directory }));
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const source = createFolderSource({
    directory: config.watch.directory,
    stateDirectory: tmpdir(),
    polling: false,
    clock: systemClock,
    onDegraded: () => {},
    onClaimsImpossible: () => {},
    onLimit: () => {},
  });
  try {
    const state = await source.state();
    const named = JSON.stringify(config.watch.directory);
    if (state.state === 'missing')
      edge.stderr(
        `warning: the folder ${named} is not there: create it, mount it, or correct watch.directory\n`,
      );
    if (state.state === 'unreadable')
      edge.stderr(`warning: the folder ${named} cannot be read, ${state.code}: let this user read it\n`);
    const places = composePlaces({
      config,
      env: edge.env,
      host: hostname(),
      source,
      processes: createProcessTable(),
      clock: systemClock,
      events: { emit: () => {} },
      network: () => state.state === 'present' && state.network,
    });
    const folder = await planFolder(
      {
        source,
        readings: new SessionReadings({ source, readers: formatReaders, oneFile: readOneFileSession }),
        places,
        rules: rootRules(config, source),
        choose: createCompanionFilter(config.companions),
        compression: config.companions.compression,
        keyTemplate: config.destination.keyTemplate,
        host: hostname(),
        folder: realFolder(config.watch.directory),
        nowMs: systemClock.nowMs(),
      },
      new AbortController().signal,
    );
    edge.stdout(flags.json ? `${JSON.stringify(folder, null, 2)}\n` : planText(folder));
    return exitCode.ok;
  } finally {
    await source.close();
  }
}

function planText(plan: FolderPlan): string {
  const files = plan.sessions.reduce((sum, session) => sum + session.companions.length, 0);
  const lines = plan.sessions.flatMap(sessionLines);
  if (plan.loose.length > 0) {
    lines.push('', 'in no session, not shipped:', ...plan.loose.map((path) => `  ${JSON.stringify(path)}`));
  }
  const total = `${counted(plan.sessions.length, 'session')}, ${counted(files, 'companion')}, ${humanBytes(plan.bytes)} in ${plan.folder}`;
  return `${[...lines, '', total].join('\n').trimStart()}\n`;
}

function sessionLines(session: SessionPlan): string[] {
  const { excluded } = session;
  return [
    '',
    `${JSON.stringify(session.path)} (${session.foundBy})`,
    `  ${session.key}`,
    ...placeLines(session),
    ...session.companions.map((file) => `  ${file.key}  ${humanBytes(file.bytes)}`),
    ...(excluded.files > 0
      ? [`  left out: ${counted(excluded.files, 'file')}, ${humanBytes(excluded.bytes)}`]
      : []),
    ...session.missing.map((file) => `  missing: ${JSON.stringify(file.path)}, ${file.reason}`),
    ...session.warnings.map((warning) => `  warning: ${warning}`),
  ];
}

/** `  ran on: runpod abc123 (RUNPOD_POD_ID), 2 × NVIDIA A40 (RUNPOD_GPU_NAME)` */
function placeLines({ pod, user, provenance }: SessionPlan): string[] {
  const by = (path: string) => (provenance[path] === undefined ? '' : ` (${provenance[path]})`);
  const place = [pod.provider, pod.id].filter((part) => part !== undefined).join(' ');
  const gpus = [pod.gpuCount, pod.gpuType].filter((part) => part !== undefined).join(' × ');
  const price = pod.costPerHour === undefined ? '' : [pod.costPerHour, pod.currency].join(' ').trim();
  const parts = [
    place && `${place}${by('pod.id')}`,
    gpus && `${gpus}${by(pod.gpuType === undefined ? 'pod.gpuCount' : 'pod.gpuType')}`,
    price && `${price} per hour${by('pod.costPerHour')}`,
    user.username && `user ${user.username}${by('user.username')}`,
  ].filter((part) => part !== '' && part !== undefined);
  return parts.length === 0 ? [] : [`  ran on: ${oneLine(parts.join(', '))}`];
}
