import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../src/ports/status.ts';
import type { FaultProxy } from '../faults/fault-proxy.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import {
  type Cleanup,
  type Ended,
  type Host,
  start,
  statusOf,
  type Trainlogd,
} from '../support/trainlogd.ts';
import { afterRest, chooseDeath, type Death, deathsOf } from './deaths.ts';
import type { Workload } from './workload.ts';

/** A life that does not come to its named end is ended after so long. */
const lifeMaxMs = 2_000;
/** It takes a while until a file has grown by a part, and the part is recorded. */
const growingLifeMaxMs = 6_000;
const startMs = 700;
/** Of a machine that has other things to do. */
const startMaxMs = 120_000;
const drawnMs = 1_500;
const longLifeMs = 16_000;
const longLifeEvery = 25;
/** The last life may take its time, but not stand still. */
const standstillMaxMs = 180_000;
const lastLifeMaxMs = 1_800_000;
/** Longer than the program's own deadline. */
const endMaxMs = 60_000;
const stepEveryMs = 40;
const stderrShownMax = 3000;

export interface Lives {
  killed: number;
  /** By name: how often it was tried, and how often it came to that. */
  readonly deaths: Map<string, { tried: number; reached: number }>;
  /** Parts on their way when it was killed, of all kills. */
  partsInFlight: number;
  readonly problems: string[];
}

/** `seconds`: until everything was shipped. */
export interface Peace {
  readonly seconds: number;
  readonly problems: readonly string[];
}

export interface LivesOptions {
  readonly context: Cleanup;
  readonly host: Host;
  readonly proxy: FaultProxy;
  readonly workload: Workload;
  readonly random: SeededRandom;
  readonly kills: number;
  /** No further life begins after so long. */
  readonly secondsMax: number;
  readonly onKilled: (killed: number) => void;
}

/** Starts and kills the program, while trainers write; each life begins with what the one before left. */
export async function liveAndDie(options: LivesOptions): Promise<Lives> {
  const { proxy, workload, random, kills, secondsMax } = options;
  const untilMs = performance.now() + secondsMax * 1000;
  const lives: Lives = { killed: 0, deaths: new Map(), partsInFlight: 0, problems: [] };
  const deaths = deathsOf(proxy.traffic);
  const tried = new Map<Death, number>();
  while (lives.killed < kills && lives.problems.length === 0 && performance.now() < untilMs) {
    const isLong = (lives.killed + 1) % longLifeEvery === 0;
    const death = isLong ? afterRest : chooseDeath(random, deaths, tried);
    tried.set(death, (tried.get(death) ?? 0) + 1);
    await workload.prepare(death.needs);
    const reached = await oneLife(options, death, lives);
    const { tried: before, reached: hits } = lives.deaths.get(death.name) ?? { tried: 0, reached: 0 };
    lives.deaths.set(death.name, { tried: before + 1, reached: hits + (reached ? 1 : 0) });
    options.onKilled(lives.killed);
  }
  return lives;
}

/** True when it died where it was to die. */
async function oneLife(options: LivesOptions, death: Death, lives: Lives): Promise<boolean> {
  const { context, host, proxy, random, workload } = options;
  const program = start(context, host);
  let dies = false;
  const kill = async () => {
    dies = true;
    lives.partsInFlight += proxy.traffic.partsInFlight;
    await program.stop('SIGKILL');
  };
  const soonMs = random.below(15);
  const rule =
    death.at === undefined
      ? undefined
      : proxy.add({
          name: 'killed',
          on: { ...death.on, times: 1 },
          fault: {
            do: 'call',
            at: death.at,
            afterBytes: 1,
            call: async () => {
              // What follows an answer is written to disk within moments: now before that, now after.
              if (death.at === 'answered') await delay(soonMs);
              await kill();
            },
          },
        });
  const over = new AbortController();
  const training = trainUntil(workload, over.signal);
  try {
    await Promise.race([program.ended, enough(program, death, random, over.signal)]);
  } catch (error) {
    lives.problems.push(`a life did not begin: ${String(error)}: ${program.stderr().slice(-1500)}`);
  }
  over.abort();
  await training;
  rule?.lift();
  const reached = dies || death.at === undefined;
  if (!dies) await kill();
  const { code, signal, stderr } = await program.ended;
  if (signal === 'SIGKILL') lives.killed += 1;
  else lives.problems.push(`the program ended by itself with ${code}: ${stderr.slice(-1500)}`);
  return reached;
}

/** The moment of death is what this is about: drawn, so no condition could be waited for in its place. */
async function enough(
  program: Trainlogd,
  death: Death,
  random: SeededRandom,
  signal: AbortSignal,
): Promise<void> {
  const drawnLifeMs = death === afterRest ? longLifeMs : random.below(drawnMs);
  const namedLifeMs = death.needs === 'growing' ? growingLifeMaxMs : lifeMaxMs;
  const lifeMs = death.at === undefined ? drawnLifeMs : namedLifeMs;
  if (death.name === 'while it starts') return delay(random.below(startMs), undefined, { signal });
  await program.event('daemon.started', () => true, startMaxMs);
  return delay(lifeMs, undefined, { signal });
}

async function trainUntil(workload: Workload, over: AbortSignal): Promise<void> {
  while (!over.aborted && (await workload.step())) {
    await delay(stepEveryMs);
  }
}

/** One more life in peace, until everything is shipped; the trainers are done. Whatever comes of it, it is over then. */
export async function liveInPeace({ context, host, workload }: LivesOptions): Promise<Peace> {
  const startedMs = performance.now();
  const program: Trainlogd = start(context, host);
  const problem = await untilShipped(program, () => statusOf(context, host), workload.sessions.length);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const { code, signal, stderr } = await endSoon(program);
  const problems = problem === undefined ? [] : [problem];
  if (code !== 0)
    problems.push(`the last life ended with ${code ?? signal}: ${stderr.slice(-stderrShownMax)}`);
  return { seconds, problems };
}

/** Undefined when all is shipped, or the program ended; else what is left of what. */
async function untilShipped(
  program: Trainlogd,
  ask: () => Promise<Status>,
  sessions: number,
): Promise<string | undefined> {
  const untilMs = performance.now() + lastLifeMaxMs;
  let hasEnded = false;
  void program.ended.then(() => {
    hasEnded = true;
  });
  let said = 'nothing';
  let at = '';
  for (let movedMs = performance.now(); !hasEnded && performance.now() < untilMs; await delay(500)) {
    if (performance.now() - movedMs > standstillMaxMs) break;
    const now = await ask().then(leftIn, (error) => ({ left: String(error), at, shipped: -1 }));
    said = `${now.shipped} of ${sessions} are shipped: ${now.left}`;
    if (now.left === '' && now.shipped === sessions) return undefined;
    if (now.at !== at) movedMs = performance.now();
    at = now.at;
  }
  return hasEnded ? undefined : `not all was shipped: ${said}: ${program.stderr().slice(-stderrShownMax)}`;
}

/** `at` changes when anything moves. */
function leftIn({ backlog, blocked, uploads }: Status): { left: string; at: string; shipped: number } {
  const { open, shipping, shipped, pendingFiles, pendingBytes, unsent, parked } = backlog;
  const isDone = open + shipping + pendingFiles + unsent.length + parked.length === 0;
  const few = {
    open,
    shipping,
    pendingFiles,
    unsent: unsent.slice(0, 5),
    parked: parked.slice(0, 5),
    blocked,
  };
  const sent = uploads.map(({ sentBytes }) => sentBytes);
  return {
    left: isDone ? '' : JSON.stringify(few),
    at: JSON.stringify([open, shipping, shipped, pendingFiles, pendingBytes, sent]),
    shipped,
  };
}

/** Its journal is nobody else's before it is dead: one that does not end when asked to is ended. */
async function endSoon(program: Trainlogd): Promise<Ended> {
  const over = new AbortController();
  const kill = async () => {
    await delay(endMaxMs, undefined, { signal: over.signal });
    return program.stop('SIGKILL');
  };
  try {
    return await Promise.race([program.stop(), kill()]);
  } finally {
    over.abort();
  }
}
