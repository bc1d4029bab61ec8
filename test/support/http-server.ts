import { systemClock } from '../../src/adapters/system-time.ts';
import type { Facts } from '../../src/domain/facts.ts';
import type { History } from '../../src/domain/history.ts';
import type { SessionDraft } from '../../src/domain/session-draft.ts';
import type { Readiness } from '../../src/http/health.ts';
import { createRouter } from '../../src/http/router.ts';
import { routesOf } from '../../src/http/routes.ts';
import { HttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import type { EventMap, EventName } from '../../src/ports/events.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { Report } from '../../src/ports/report.ts';
import type { Status } from '../../src/ports/status.ts';
import { EventCounter } from '../../src/services/event-counter.ts';
import { eventually } from './eventually.ts';
import {
  companion,
  draftOf,
  evidence,
  folder,
  identityOf,
  logOf,
  newSession,
  receiptOf,
  sqliteJournal,
  workOf,
} from './journal.ts';
import type { Cleanup } from './trainlogd.ts';

/** The real server, routes and journal; what the rest of the agent would tell is set by the test. */
export interface ServedPage {
  readonly url: string;
  readonly port: number;
  readonly journal: Journal;
  readonly counter: EventCounter;
  readonly events: { name: EventName; fields: EventMap[EventName] }[];
  /** What the status says beyond what the journal holds. */
  status: Partial<Status>;
  report: Report | undefined;
  readiness: Readiness;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

export interface ServeOptions {
  readonly address?: string;
  readonly pages?: 'loopback' | 'all';
  readonly hostName?: string;
  readonly limits?: HttpServerOptions['limits'];
  /** What the rate of pages is told by. */
  readonly monotonicMs?: () => number;
}

export async function serve(context: Cleanup, options: ServeOptions = {}): Promise<ServedPage> {
  const { address = '127.0.0.1', pages = 'loopback', hostName = 'node-1' } = options;
  const { monotonicMs = systemClock.monotonicMs } = options;
  const under = sqliteJournal();
  const { journal } = under;
  const counter = new EventCounter(systemClock);
  const events: ServedPage['events'] = [];
  const emit = <Name extends EventName>(name: Name, fields: EventMap[Name]) =>
    void events.push({ name, fields });
  const said: Pick<ServedPage, 'status' | 'report' | 'readiness'> = {
    status: {},
    report: undefined,
    readiness: { folder, folderState: 'present', hasLooked: true, journalProblem: undefined },
  };
  const routes = routesOf({
    clock: systemClock,
    folder,
    pid: process.pid,
    version: '0.1.0',
    status: () => statusOf(journal, said.status),
    report: () => said.report,
    counts: counter.counts,
    sessions: journal,
    readiness: () => said.readiness,
  });
  const server = new HttpServer({
    listen: { address, port: 0 },
    pages,
    clock: systemClock,
    events: counter.counted({ emit }),
    answer: createRouter(routes, { pages, hostName }, { monotonicMs }),
    endsAll: () => false,
    ...(options.limits && { limits: options.limits }),
  });
  const running = server.run();
  context.onTestFinished(async () => {
    await server.stop();
    await running;
    under[Symbol.dispose]();
  });
  const url = await eventually(() => server.url);
  return Object.assign(said, {
    url,
    port: Number(new URL(url).port),
    journal,
    counter,
    events,
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(new URL(path, url), { headers, redirect: 'manual' }),
  });
}

/** For tests by rows, which have no context of their own. */
export async function using(
  work: (served: ServedPage) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  const over: (() => void | Promise<void>)[] = [];
  const served = await serve(
    { onTestFinished: (one) => void over.push(one), onTestFailed: () => undefined },
    options,
  );
  try {
    await work(served);
  } finally {
    for (const one of over.reverse()) await one();
  }
}

function statusOf(journal: Journal, with_: Partial<Status> = {}): Status {
  return {
    version: 1,
    running: true,
    pid: 4711,
    host: 'node-1',
    program: '0.1.0',
    folder,
    destination: 's3://your-company-training-logs',
    state: '/var/lib/trainlogd',
    folderState: 'present',
    parts: journal.uploadCounts(),
    backlog: journal.backlog(folder),
    uploads: [],
    loose: [],
    ...with_,
  };
}

export interface SampleSession {
  readonly id: string;
  readonly root?: string;
  readonly name?: string;
  readonly startedAtMs?: number;
  readonly status?: SessionDraft['status'];
  readonly facts?: Facts;
  readonly warnings?: readonly string[];
  readonly files?: readonly string[];
  /** Its log is in the bucket. */
  readonly isShipped?: boolean;
}

/** As the agent would have journalled it. */
export function addSession(journal: Journal, sample: SampleSession): number {
  const { id, root = id, name = id, startedAtMs = Date.UTC(2026, 0, 31), status = 'completed' } = sample;
  const { sid } = journal.begin(newSession(root, { foundAtMs: startedAtMs }));
  journal.freeze(sid, identityOf(id, { startedAtMs }));
  const source = { source: 'session.json', facts: sample.facts ?? {}, provenance: {} };
  const draft = { ...draftOf(status), name, sources: [source], warnings: sample.warnings ?? [] };
  const seal = status === 'running' ? undefined : { ...evidence, status };
  const files = (sample.files ?? []).map((path) => companion(path));
  journal.enqueue(sid, workOf(files, { seal, draft }));
  if (sample.isShipped === false) return sid;
  for (const { path, fingerprint } of files)
    journal.recordUploaded(sid, path, { fingerprint, newFingerprint: fingerprint, receipt: receiptOf('e') });
  journal.recordLog(
    sid,
    logOf(
      1,
      files.map(({ path }) => path),
    ),
  );
  const shipment = journal.shipment(sid);
  if (shipment) journal.finish(shipment);
  return sid;
}

/** A loss that falls, with what real ones have: noise, a validation now and then. */
export function fallingLoss(rows: number, random: () => number): History {
  const lines = Array.from({ length: rows }, (_, at) => {
    const share = at / Math.max(1, rows - 1);
    const loss = 0.35 + 2.4 * Math.exp(-4 * share) + (random() - 0.5) * 0.12;
    const validation = at % 10 === 9 ? 0.45 + 2.2 * Math.exp(-3.6 * share) + (random() - 0.5) * 0.05 : null;
    const accuracy = at % 10 === 9 ? 0.9 - 0.7 * Math.exp(-3 * share) : null;
    return [at * 10, share * 3, loss, validation, 3e-4 * (1 - share), accuracy, 1 + random()];
  });
  return {
    columns: ['step', 'epoch', 'loss', 'eval_loss', 'learning_rate', 'eval_accuracy', 'grad_norm'],
    rows: lines,
  };
}
