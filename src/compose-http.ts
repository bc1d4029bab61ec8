import type { Operated } from './compose-operated.ts';
import type { Report } from './ports/report.ts';
import type { Service } from './ports/service.ts';
import type { Status } from './ports/status.ts';

export interface Http {
  readonly services: readonly Service[];
}

export function composeHttp(
  _of: Operated,
  _say: { readonly status: () => Status; readonly lastReport: () => Report | undefined },
): Http {
  return { services: [] };
}
