import { AgentRefusal, askAgent, askStatus } from '../adapters/ask-agent.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Limits } from '../doctor/patient.ts';
import type { Report } from '../ports/report.ts';
import { loadAnswering } from './answering.ts';
import type { Edge } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { reportExit } from './report-exit.ts';
import { reportText } from './report-text.ts';
import { reportWithoutAgent } from './report-without-agent.ts';

/** An agent takes up to 35 s for one that meets every obstacle. */
const answerTimeoutMs = 40_000;

/** `trainlogd report`: the scheduled report, made now; by the agent that runs, else from what it left. */
export async function report(edge: Edge, flags: GlobalFlags, limits: Partial<Limits> = {}): Promise<number> {
  const loaded = await loadAnswering(edge, flags, { needs: ['state'] });
  const asked = await agentsReport(loaded.config.state.directory);
  const made = asked ?? (await reportWithoutAgent(edge, loaded, limits));
  edge.stdout(flags.json ? `${JSON.stringify(made, null, 2)}\n` : reportText(made, systemClock.nowMs()));
  return reportExit[made.level];
}

/** Undefined where no agent runs, and where it cannot make one now. */
async function agentsReport(stateDirectory: string): Promise<Report | undefined> {
  // One that hangs is not waited for as long as one that looks.
  if ((await askStatus(stateDirectory)) === undefined) return undefined;
  try {
    return await askAgent<'report'>(stateDirectory, { ask: 'report' }, answerTimeoutMs);
  } catch (error) {
    if (error instanceof AgentRefusal) return undefined; // reason: what keeps it from one is found by making one here
    throw error;
  }
}
