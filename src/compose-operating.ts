import { StatusSocket } from './adapters/status-socket.ts';
import { accessStatus } from './compose-access.ts';
import { composeHttp } from './compose-http.ts';
import type { Operated } from './compose-operated.ts';
import { composeReporting } from './compose-reporting.ts';
import { queueLook, shippingStatus } from './compose-status.ts';
import { displayPath } from './domain/watched-path.ts';
import type { Report } from './ports/report.ts';
import type { Service } from './ports/service.ts';
import type { Status } from './ports/status.ts';
import { retryParked } from './services/parked-retry.ts';
import type { QueueLook } from './services/queue-pulse.ts';

export interface Operating {
  readonly status: () => Status;
  readonly queue: () => QueueLook;
  /** In the order in which they start. */
  readonly services: readonly Service[];
}

export function composeOperating(of: Operated): Operating {
  const { config, events, watcher, tracker, sharing, journal, folder } = of;
  const status = (): Status => ({
    version: 1,
    running: true,
    pid: of.pid,
    host: of.host,
    program: of.version,
    folder,
    destination: of.store.name,
    state: config.state.directory,
    folderState: watcher.folderState?.state ?? 'not looked at yet',
    ...shippingStatus(of),
    ...accessStatus(of.access),
    ...reportPart(reporting.lastReport(), reporting.problem()),
    ...http.status(),
    backlog: journal.backlog(folder),
    elsewhere: sharing.elsewhere(),
    loose: tracker.notes.loose().map((entry) => displayPath(entry.path)),
  });
  const reporting = composeReporting(of, status);
  const http = composeHttp(of, { status, lastReport: reporting.lastReport });
  const socket = new StatusSocket({
    stateDirectory: config.state.directory,
    answering: {
      status,
      report: reporting.report,
      retry: ({ sessions }) => retryParked(of, sessions),
      recordedMonths: () => ({ version: 1, months: [...journal.recordedMonths()] }),
      recordedSessions: ({ after, to }) => ({ version: 1, sessions: journal.recordedSessions(after, to) }),
    },
    onProblem: (problem) => events.emit('config.warning', { problem }),
  });
  return { status, queue: () => queueLook(of), services: [socket, ...http.services, ...reporting.services] };
}

function reportPart(
  report: Report | undefined,
  reportProblem: string | undefined,
): Pick<Status, 'report' | 'reportProblem'> {
  return { ...(report && { report }), ...(reportProblem !== undefined && { reportProblem }) };
}
