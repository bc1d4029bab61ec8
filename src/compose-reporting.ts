import type { Operated } from './compose-operated.ts';
import type { Report } from './ports/report.ts';
import type { Service } from './ports/service.ts';

export interface Reporting {
  readonly services: readonly Service[];
  readonly lastReport: () => Report | undefined;
}

export function composeReporting(_of: Operated): Reporting {
  return { services: [], lastReport: () => undefined };
}
