import { systemClock } from '../adapters/system-time.ts';
import { reportLimits } from '../compose-report-limits.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { type Finding, worstLevel } from '../domain/finding.ts';
import type { Status } from '../ports/status.ts';
import { worstFirst } from '../services/assess.ts';
import { presentFindings } from '../services/present-findings.ts';
import type { Edge } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
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
  const loaded = loadOrProblem(edge, flags);
  if (typeof loaded === 'string') {
    edge.stdout(`TRAINLOGD UNKNOWN - ${said(loaded)}\n`);
    return reportExit.unknown;
  }
  const { config } = loaded;
  const { status, findings, isKnown } = await statusLeft(config);
  const present = presentFindings(status, systemClock.nowMs(), reportLimits(config));
  const found = worstFirst([...findings, ...present]);
  const level = worstLevel(found);
  // A zero that nobody counted would look like one that somebody did.
  const values = isKnown ? ` | ${measured(status, config)}` : '';
  edge.stdout(`TRAINLOGD ${level.toUpperCase()} - ${said(summary(found, status))}${values}\n`);
  return reportExit[level];
}

function loadOrProblem(edge: Edge, flags: GlobalFlags): LoadedConfig | string {
  try {
    return loadConfig(loadInputs(edge, flags));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `the configuration is not usable: ${error.message}; trainlogd config check`;
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
