import type { FolderPlan, SessionPlan } from '../services/planner.ts';
import { counted, humanBytes } from './human.ts';
import { oneLine } from './one-line.ts';

export function planText(plan: FolderPlan): string {
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
    ...knownLines(session),
    ...placeLines(session),
    ...session.companions.map((file) => `  ${file.key}  ${humanBytes(file.bytes)}`),
    ...(excluded.files > 0
      ? [`  left out: ${counted(excluded.files, 'file')}, ${humanBytes(excluded.bytes)}`]
      : []),
    ...session.missing.map((file) => `  missing: ${JSON.stringify(file.path)}, ${file.reason}`),
    ...session.warnings.map((warning) => `  warning: ${warning}`),
  ];
}

/** `  transformers (trainer_state.json), completed (trainer_state.json), 3100 of 3100 steps, history of 7 rows` */
function knownLines({ facts, provenance, status, sealedBy }: SessionPlan): string[] {
  const { framework, config = {}, results = {}, history } = facts;
  const parts = [
    framework && `${framework} (${provenance['session.framework']})`,
    sealedBy === undefined ? status : `${status} (${sealedBy})`,
    progress(results.stepsCompleted, config.maxSteps, 'steps'),
    progress(results.epochsCompleted, config.epochs, 'epochs'),
    history && `history of ${counted(history.rows.length, 'row')} (${provenance['history']})`,
    results.error && `error: ${results.error.slice(0, 200)}`,
  ].filter((part) => part !== '' && part !== undefined);
  return [`  ${oneLine(parts.join(', '))}`];
}

function progress(done: number | undefined, wanted: number | undefined, what: string): string {
  if (done === undefined) return '';
  return wanted === undefined ? `${done} ${what}` : `${done} of ${wanted} ${what}`;
}

/** `  ran on: runpod abc123 (RUNPOD_POD_ID), 2 × NVIDIA A40 (RUNPOD_GPU_NAME)` */
function placeLines({ facts: { pod = {}, user = {} }, provenance }: SessionPlan): string[] {
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
