import { journalTrouble } from './adapters/journal-trouble.ts';
import { systemClock } from './adapters/system-time.ts';
import type { Operated } from './compose-operated.ts';
import type { Config } from './config/schema.ts';
import { createRouter } from './http/router.ts';
import { routesOf } from './http/routes.ts';
import { HttpServer } from './http/server.ts';
import { type Troubled, troubledRoutes } from './http/trouble-routes.ts';
import type { Events } from './ports/events.ts';
import type { Report } from './ports/report.ts';
import type { Service } from './ports/service.ts';
import type { Status } from './ports/status.ts';

export interface Http {
  readonly services: readonly Service[];
  readonly status: () => Pick<Status, 'http'>;
}

/** Health, metrics and the page; nothing for commands that end by themselves, and where it is switched off. */
export function composeHttp(
  of: Operated,
  say: { readonly status: () => Status; readonly lastReport: () => Report | undefined },
): Http {
  const { config, clock, events, journal, watcher, folder } = of;
  const { listen, pages } = config.http;
  if (!of.stays || !listen) return { services: [], status: () => ({}) };
  const routes = routesOf({
    clock,
    folder,
    pid: of.pid,
    version: of.version,
    status: say.status,
    report: say.lastReport,
    counts: of.counts,
    sessions: journal,
    readiness: () => ({
      folder,
      folderState: watcher.folderState?.state ?? 'not looked at yet',
      hasLooked: watcher.surveysDone > 0,
      journalProblem: journalProblem(() => journal.getMeta('writer')),
    }),
  });
  const server = new HttpServer({
    listen,
    pages,
    clock,
    events,
    answer: createRouter(routes, { pages, hostName: of.host }, clock),
    endsAll: (error) => journalTrouble(error) !== undefined,
  });
  return {
    services: [server],
    status: () => (server.url === undefined ? {} : { http: { url: server.url } }),
  };
}

/** The same between two lives, while the state directory cannot be used; undefined where HTTP is switched off. */
export function composeTroubledHttp(
  { http: { listen, pages } }: Pick<Config, 'http'>,
  events: Events,
  troubled: Omit<Troubled, 'clock'>,
): Service | undefined {
  if (!listen) return undefined;
  const clock = systemClock;
  const rules = { pages, hostName: troubled.host };
  const answer = createRouter(troubledRoutes({ ...troubled, clock }), rules, clock);
  return new HttpServer({ listen, pages, clock, events, answer, endsAll: () => false });
}

function journalProblem(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    const trouble = journalTrouble(error);
    if (!trouble) throw error;
    return `the journal cannot be read: ${trouble.cause}`;
  }
}
