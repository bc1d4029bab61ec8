import { codesOf } from '../../src/doctor/codes.ts';
import { type MetricName, metricNames, metricOf } from '../../src/http/metrics-catalogue.ts';
import { reportCodes } from '../../src/services/report-codes.ts';

/** Labels that a series has whatever its metric: Prometheus gives them. */
const everywhere = ['job', 'instance'];
const findings: readonly string[] = [...reportCodes, ...Object.values(codesOf).flat()];

/** What a query asks for that no host has: metrics, their labels, values of labels. One line each. */
export function unknownIn(query: string): string[] {
  return [...query.matchAll(/\b(trainlogd_\w+)(?:\{([^}]*)\})?/g)].flatMap(([, name = '', selector = '']) => {
    const metric = metricNames.find((known) => known === name);
    if (!metric) return [`there is no metric ${name}`];
    return matchersIn(selector).flatMap((matcher) => unknownMatcher(metric, matcher));
  });
}

interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}

function matchersIn(selector: string): Matcher[] {
  return [...selector.matchAll(/(\w+)\s*[=!]~?\s*"([^"]*)"/g)].map(([, label = '', pattern = '']) => ({
    label,
    values: pattern.split('|'),
  }));
}

function unknownMatcher(metric: MetricName, { label, values }: Matcher): string[] {
  if (everywhere.includes(label)) return [];
  const known = metricOf(metric).labels?.[label];
  if (known === undefined) return [`${metric} has no label ${label}`];
  // What fills a label without a list of its own is known of the findings alone.
  if (known === 'any' && metric !== 'trainlogd_report_finding') return [];
  const possible = known === 'any' ? findings : known;
  return values
    .filter((value) => !possible.includes(value))
    .map((value) => `${metric} has no ${label} ${value}`);
}
