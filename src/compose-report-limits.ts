import type { Config } from './config/schema.ts';
import { triesWithin } from './domain/retry-policy.ts';
import type { ReportLimits } from './services/report-facts.ts';

/** From when on a report warns, by the configuration. */
export function reportLimits({ report, retry }: Pick<Config, 'report' | 'retry'>): ReportLimits {
  const { backlogAgeWarnMs, credentialExpiryWarnMs } = report;
  return { backlogAgeWarnMs, credentialExpiryWarnMs, triesWarn: triesWithin(backlogAgeWarnMs, retry) };
}
