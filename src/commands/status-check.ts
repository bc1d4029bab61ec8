import { systemClock } from '../adapters/system-time.ts';
import { reportLimits } from '../compose-report-limits.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { type Finding, worstLevel } from '../domain/finding.ts';
import type { Status } from '../ports/status.ts';
import { worstFirst } from '../services/assess.ts';
import { presentFindings } from '../services/present-findings.ts';
import { type Answering, loadAnswering, theJournal } from './answering.ts';
import type { Edge } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { NoAnswer } from './no-answer.ts';
import { oneLine } from './one-line.ts';
import { reportExit } from './report-exit.ts';
import { statusLeft } from './report-without-agent.ts';

/** Longer lines are cut by those who read them. */
const saidMax = 1_000;

/**
 * `trainlogd status --check`: one line and an exit code, as plugins of monitoring systems give them
 * (https://www.monitoring-plugins.org/doc/guidelines.html). Asks for no more than what is known: it answers at once.
 */
export async function checkStatus(edge: Edge, flags: GlobalFlags): Promise<number> {
  const loaded = await loadOrProblem(edge, flags);
  if ('problem' in loaded) {
    edge.stdout(`TRAINLOGD ${loaded.level.toUpperCase()} - ${said(loaded.problem)}\n`);
    return reportExit[loaded.level];
  }
  const { config } = loaded;
  const { status, findings, isKnown } = await statusLeft(loaded);
  const present = presentFindings(status, systemClock.nowMs(), reportLimits(config));
  const found = worstFirst([...findings, ...present]);
  const level = worstLevel(found);
  // A zero that nobody counted would look like one that somebody did.
  const values = isKnown ? ` | ${measured(status, config)}` : '';
  edge.stdout(`TRAINLOGD ${level.toUpperCase()} - ${said(summary(found, status))}${values}\n`);
  return reportExit[level];
}

interface Unloaded {
  readonly level: 'critical' | 'unknown';
  readonly problem: string;
}

async function loadOrProblem(edge: Edge, flags: GlobalFlags): Promise<Answering | Unloaded> {
  try {
    return await loadAnswering(edge, flags, theJournal);
  } catch (error) {
    if (error instanceof NoAnswer) return { level: 'critical', problem: error.message };
    if (!(error instanceof ConfigError)) throw error;
    const problem = `the configuration is not usable: ${error.message}; trainlogd config check`;
    return { level: 'unknown', problem };
  }
}

function summary(found: readonly Finding[], { backlog }: Status): string {
  const [worst, ...others] = found;
  if (worst === undefined)
    return `${counted(backlog.pendingFiles, 'file')} to send (${humanBytes(backlog.pendingBytes)}), ${counted(backlog.open, 'session')} open`;
  const { code, finding, remedy } = worst;
  const todo = remedy === undefined ? '' : `: ${remedy}`;
  const more =
    others.length === 0 ? '' : `; and ${others.length} more: ${others.map((one) => one.code).join(', ')}`;
  return `${finding} (${code})${todo}${more}`;
}

/** The bar begins what is measured, and no plugin's text may hold one. */
function said(text: string): string {
  const line = oneLine(text.replace(/:\s*\n\s*/g, ': ').replace(/\s*\n\s*/g, '; ')).replaceAll('|', '/');
  return line.length > saidMax ? `${line.slice(0, saidMax)}…` : line;
}

/** `label=value[unit];[warning];[critical];[minimum]` */
function measured({ backlog, report }: Status, { report: { backlogAgeWarnMs } }: Config): string {
  const warnSeconds = Math.round(backlogAgeWarnMs / 1000);
  const values = [
    `backlog_bytes=${backlog.pendingBytes}B;;;0`,
    `backlog_files=${backlog.pendingFiles};;;0`,
    `backlog_stuck=${report?.backlog.stuckSeconds ?? 0}s;${warnSeconds};${4 * warnSeconds};0`,
    `parked_files=${backlog.parkedFiles};0;;0`,
    `sessions_open=${backlog.open};;;0`,
    ...(report?.disks ?? []).map(
      ({ of, freeBytes, totalBytes }) => `${of}_free=${freeBytes}B;;;0;${totalBytes}`,
    ),
  ];
  return values.join(' ');
}
