import { hostname } from 'node:os';
import { askStatus } from '../adapters/ask-agent.ts';
import { StateError } from '../adapters/journal-trouble.ts';
import { lastSuccessIn } from '../adapters/report-file.ts';
import { systemClock } from '../adapters/system-time.ts';
import { accessStatus, createAccess } from '../compose-access.ts';
import { reportLimits } from '../compose-report-limits.ts';
import { ReportLooks } from '../compose-report-looks.ts';
import type { Limits } from '../doctor/patient.ts';
import type { Finding } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { reportOf } from '../services/report-of.ts';
import type { Edge } from './edge.ts';
import { emptyBacklog, type Located, readStatus } from './status-without-agent.ts';
import { programVersion } from './version.ts';

const quiet = { emit: () => undefined };

/** Of the journal that the agent left, or of what one says that cannot work; and of a look at the destination of our own. */
export async function reportWithoutAgent(
  edge: Edge,
  located: Located,
  limits: Partial<Limits>,
): Promise<Report> {
  const { config } = located;
  const access = createAccess(config, systemClock, quiet);
  const { env } = edge;
  const looks = new ReportLooks({ config, env, host: hostname(), clock: systemClock, access, limits });
  const never = new AbortController().signal;
  const [{ status, findings }, looked, lastSuccessAtMs] = await Promise.all([
    statusLeft(located),
    looks.look(never),
    lastSuccessIn(config.state.directory),
  ]);
  const facts = {
    ...looked,
    looked: [...findings, ...looked.looked],
    nowMs: systemClock.nowMs(),
    status: { ...status, ...accessStatus(access) },
    pace: {},
    watch: { by: 'none', looks: 0, missedByEvents: 0, missedLately: 0 } as const,
    lastSuccessAtMs,
  };
  return reportOf(facts, reportLimits(config));
}

interface StatusLeft {
  readonly status: Status;
  readonly findings: readonly Finding[];
  /** False: the status is blank, and nothing in it was counted. */
  readonly isKnown: boolean;
}

/** What is known of the work, and what is in the way of knowing it. */
export async function statusLeft(located: Located): Promise<StatusLeft> {
  const { config } = located;
  try {
    const status = (await askStatus(config.state.directory)) ?? (await readStatus(located));
    return { status, findings: [], isKnown: true };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { kind, cause, remedy } = error.trouble;
    const isHeld = kind === 'held';
    // To whom it is closed, the agent is, too: whether one runs cannot be told.
    const mayRun = isHeld || /^E(ACCES|PERM)$/.test(error.trouble.code);
    const named = JSON.stringify(config.state.directory);
    const finding = isHeld
      ? `the agent that holds ${named} does not answer`
      : `the journal in ${named} cannot be read`;
    const code = isHeld ? 'state.held' : 'state.journal';
    return {
      status: blankStatus(located, mayRun),
      findings: [{ code, level: 'critical', finding, evidence: cause, remedy }],
      isKnown: false,
    };
  }
}

function blankStatus({ config: { destination, state }, folder }: Located, running: boolean): Status {
  const { kind } = destination;
  return {
    version: 1,
    running,
    host: hostname(),
    program: programVersion(),
    folder,
    destination: kind === 's3' ? `s3://${destination.bucket}` : `file://${destination.path}`,
    state: state.directory,
    backlog: emptyBacklog,
    uploads: [],
    loose: [],
  };
}
