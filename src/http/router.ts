import type { Clock } from '../ports/clock.ts';
import { type AccessRules, type Caller, refusalFor } from './access.ts';
import { type Answer, plain } from './answer.ts';
import { Rate } from './rate.ts';

export interface HttpRequest extends Caller {
  readonly method: string;
  /** As it came: any bytes. */
  readonly target: string;
}

/** `open`: for all, whatever name they used; `page`: for whom `access.ts` lets through, at a bounded rate. */
export interface Route {
  readonly for: 'open' | 'page';
  readonly path: string | RegExp;
  /** `parts`: what the groups of `path` matched. Undefined: there is no such thing. */
  readonly answer: (
    parts: readonly string[],
    query: URLSearchParams,
  ) => Answer | undefined | Promise<Answer | undefined>;
}

const pages = { perSecond: 50, atOnce: 100 };
const targetMax = 2048;

/** Finds out what is asked for and whether the caller may have it. Throws what a route throws. */
export function createRouter(
  routes: readonly Route[],
  rules: AccessRules,
  clock: Pick<Clock, 'monotonicMs'>,
): (request: HttpRequest) => Promise<Answer> {
  const rate = new Rate(clock, pages);
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return plain(405, 'Nothing can be changed here: only GET and HEAD.', { Allow: 'GET, HEAD' });
    const url = urlOf(request.target);
    if (!url) return plain(400, 'The address cannot be read.');
    const found = findRoute(routes, url.pathname);
    if (found?.route.for !== 'open') {
      const refusal = refusalFor(request, rules);
      if (refusal) return refusal;
      if (!rate.take()) return plain(429, 'Too many pages at once.', { 'Retry-After': '1' });
    }
    const answer = await found?.route.answer(found.parts, url.searchParams);
    return answer ?? plain(404, 'There is nothing here. The page is at /.');
  };
}

function urlOf(target: string): URL | undefined {
  const isPath = target.startsWith('/') && target.length <= targetMax;
  const url = `http://host${target}`;
  return isPath && URL.canParse(url) ? new URL(url) : undefined;
}

function findRoute(routes: readonly Route[], path: string): { route: Route; parts: string[] } | undefined {
  for (const route of routes) {
    if (route.path === path) return { route, parts: [] };
    const match = typeof route.path === 'string' ? null : route.path.exec(path);
    if (match) return { route, parts: match.slice(1).map((part) => part ?? '') };
  }
  return undefined;
}
