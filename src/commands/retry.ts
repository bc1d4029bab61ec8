import { hostname } from 'node:os';
import { AgentRefusal, askAgent, askStatus } from '../adapters/ask-agent.ts';
import { hasJournal } from '../adapters/journal-file.ts';
import { openJournal } from '../adapters/open-journal.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { RetriedSession, RetryAnswer } from '../ports/agent-requests.ts';
import { retryAnswer } from '../services/parked-retry.ts';
import { type Answering, loadAnswering, theJournal } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import { counted } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { oneLine } from './one-line.ts';
import { unlessHeld } from './unanswered.ts';

export interface RetryFlags extends GlobalFlags {
  readonly all?: boolean;
}

/** Of very many sessions that wait, and a disk that is slow. */
const answerTimeoutMs = 60_000;

/** `trainlogd retry`: takes up what was parked; an agent that runs does so at once, else the next start. */
export async function retry(edge: Edge, flags: RetryFlags, ids: readonly string[]): Promise<number> {
  const loaded = await loadAnswering(edge, flags, theJournal);
  const { config } = loaded;
  if ((ids.length === 0) === (flags.all !== true)) {
    edge.stderr(
      'trainlogd: name the sessions to retry, or --all and no session; trainlogd status lists them\n',
    );
    return exitCode.usage;
  }
  const sessions = flags.all ? 'all' : ids;
  try {
    const asked = await askedAgent(config.state.directory, sessions);
    const answer = asked ?? (await retryHere(edge, loaded, sessions));
    edge.stdout(flags.json ? `${JSON.stringify(answer, null, 2)}\n` : retryText(answer, asked !== undefined));
    for (const id of answer.unknown)
      edge.stderr(`trainlogd: no session ${JSON.stringify(id)} is known here: trainlogd status lists them\n`);
    return answer.unknown.length > 0 ? exitCode.usage : exitCode.ok;
  } catch (error) {
    if (!(error instanceof AgentRefusal)) throw error;
    edge.stderr(`trainlogd: retrying failed: ${error.message}: see trainlogd status for what it waits for\n`);
    return exitCode.unsent;
  }
}

async function askedAgent(
  stateDirectory: string,
  sessions: readonly string[] | 'all',
): Promise<RetryAnswer | undefined> {
  // One that hangs is not waited for as long as one that works.
  if ((await askStatus(stateDirectory)) === undefined) return undefined;
  return await askAgent<'retry'>(stateDirectory, { ask: 'retry', sessions }, answerTimeoutMs);
}

/** Nobody holds the journal, or it is said who does. Throws StateError. */
async function retryHere(
  edge: Edge,
  { config, folder }: Answering,
  ids: readonly string[] | 'all',
): Promise<RetryAnswer> {
  const { directory } = config.state;
  const isThere = hasJournal(directory);
  if (!isThere) return { version: 1, retried: [], notParked: [], unknown: ids === 'all' ? [] : ids };
  const startedAt = new Date(systemClock.nowMs()).toISOString();
  const holder = { pid: edge.pid, host: hostname(), folder, startedAt };
  const journal = unlessHeld(() => openJournal(directory, holder));
  try {
    const answer = retryAnswer(journal.retry(folder, ids));
    await journal.synced();
    return answer;
  } finally {
    journal.close();
  }
}

/** Of hundreds of sessions the first tell as much as all. */
const namedMax = 50;

export function retryText({ retried, notParked, unknown }: RetryAnswer, isRunning: boolean): string {
  const when = isRunning ? 'tried again now' : 'tried again at the next start: no trainlogd runs';
  const lines = [...retried.slice(0, namedMax).map((one) => line(one, when))];
  if (retried.length > namedMax)
    lines.push(`and ${counted(retried.length - namedMax, 'more session')}: ${when}`);
  lines.push(...notParked.map((id) => `${oneLine(id)}: nothing of it is parked`));
  if (lines.length === 0 && unknown.length === 0) lines.push('nothing is parked');
  return lines.map((one) => `${one}\n`).join('');
}

function line({ session, files, log, isGone }: RetriedSession, when: string): string {
  const what = [...(log ? ['its session log'] : []), ...(files > 0 ? [counted(files, 'file')] : [])].join(
    ' and ',
  );
  const outcome = isGone ? 'not tried: its directory is gone, and its log says what is missing' : when;
  return `${oneLine(session)}: ${what}, ${outcome}`;
}
