import type { Lifecycle, LifecycleRule } from '../ports/bucket-admin.ts';
import {
  abortDays,
  type DesiredLifecycle,
  markerRule,
  noncurrentDays,
  transitionsBefore,
} from './desired-state.ts';
import { type Compared, differs, kept, right } from './line.ts';
import { sortedJson } from './sorted-json.ts';
import { ruleText } from './words.ts';

/**
 * Two rules are ours, by their ID; all others are handed back as they were read. What ours delete is changed only by
 * who says so: without bucket.expireAfter a rule that is there keeps its day, and old versions never go sooner.
 */
export function compareLifecycle(want: DesiredLifecycle, have: Lifecycle | undefined): Compared {
  const rules = have?.rules ?? [];
  const find = (id: string) => rules.find(({ ID }) => ID === id);
  const [logs, markers] = [find(want.ids.logs), find(want.ids.markers)];
  const wanted = [logsRule(want, logs), markerRule(want)] as const;
  const lines = [
    ...[[logs, wanted[0]] as const, [markers, wanted[1]] as const].map(([is, shall]) => {
      const setting = `lifecycle rule ${shall.ID}`;
      if (is !== undefined && sameRule(is, shall)) return right(setting, ruleText(shall));
      return differs(setting, is === undefined ? 'none' : ruleText(is), ruleText(shall));
    }),
    ...keptLines(want, logs),
  ];
  if (!lines.some(({ state }) => state === 'differs')) return { lines, changes: [] };
  const value = { ...have, rules: merged(rules, wanted) };
  return { lines, changes: [{ setting: 'lifecycle', value }] };
}

function logsRule(want: DesiredLifecycle, have: LifecycleRule | undefined): LifecycleRule {
  const days = isKept(want, have) ? keptDays(want, have) : want.expireAfterDays;
  const moves = transitionsBefore(days);
  const { NoncurrentDays = 0, NewerNoncurrentVersions } = have?.NoncurrentVersionExpiration ?? {};
  return {
    ID: want.ids.logs,
    Status: 'Enabled',
    Filter: { Prefix: want.prefix },
    ...(moves.length > 0 && { Transitions: moves }),
    ...(days !== undefined && { Expiration: { Days: days } }),
    ...(have?.NoncurrentVersionTransitions && {
      NoncurrentVersionTransitions: have.NoncurrentVersionTransitions,
    }),
    NoncurrentVersionExpiration: {
      NoncurrentDays: Math.max(NoncurrentDays, noncurrentDays),
      ...(NewerNoncurrentVersions !== undefined && { NewerNoncurrentVersions }),
    },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortDays },
  };
}

/** A date is no age: what is deleted by one could not move by days in the same rule. */
function isKept({ isExpiryChosen }: DesiredLifecycle, have: LifecycleRule | undefined): boolean {
  return have !== undefined && !isExpiryChosen && have.Expiration?.Date === undefined;
}

/** The day of a rule that is switched off, or for some objects only, was not meant for all: they are not deleted by it sooner. */
function keptDays(want: DesiredLifecycle, have: LifecycleRule | undefined): number | undefined {
  const days = have?.Expiration?.Days;
  if (have?.Status === 'Enabled' && coversAll(want.prefix, have)) return days;
  return days === undefined || want.expireAfterDays === undefined
    ? undefined
    : Math.max(days, want.expireAfterDays);
}

function coversAll(wanted: string, { Filter, Prefix: older }: LifecycleRule): boolean {
  const { Prefix = older ?? '', ...narrower } = Filter ?? {};
  return wanted.startsWith(Prefix) && Object.values(narrower).every((value) => value === undefined);
}

function keptLines(want: DesiredLifecycle, have: LifecycleRule | undefined) {
  const days = keptDays(want, have);
  const wanted = daysText(want.expireAfterDays);
  const { NoncurrentDays = 0, NewerNoncurrentVersions } = have?.NoncurrentVersionExpiration ?? {};
  const versions =
    NewerNoncurrentVersions === undefined ? '' : `, the newest ${NewerNoncurrentVersions} for good`;
  return [
    ...(isKept(want, have) && days !== want.expireAfterDays
      ? [kept('expiry', daysText(days), wanted, 'the rule is there, and bucket.expireAfter is not set')]
      : []),
    ...(NoncurrentDays > noncurrentDays || versions !== ''
      ? [
          kept(
            'old versions',
            `${NoncurrentDays} days${versions}`,
            `${noncurrentDays} days`,
            'old versions are not deleted sooner than now',
          ),
        ]
      : []),
  ];
}

function daysText(days: number | undefined): string {
  return days === undefined ? 'never' : `after ${days} days`;
}

function merged(rules: readonly LifecycleRule[], ours: readonly LifecycleRule[]): LifecycleRule[] {
  const byId = new Map(ours.map((rule) => [rule.ID, rule]));
  const replaced = rules.map((rule) => byId.get(rule.ID) ?? inFilter(rule));
  const missing = ours.filter(({ ID }) => !rules.some((rule) => rule.ID === ID));
  return [...replaced, ...missing];
}

/** Rules that say it in the older way are refused beside rules that say it in the newer. */
function inFilter({ Prefix, ...rule }: LifecycleRule): LifecycleRule {
  return rule.Filter === undefined ? { ...rule, Filter: { Prefix: Prefix ?? '' } } : rule;
}

function sameRule(one: LifecycleRule, other: LifecycleRule): boolean {
  return canonical(one) === canonical(other);
}

/** The same text for rules that mean the same, whatever the order in which a server gives their parts. */
function canonical(rule: LifecycleRule): string {
  const { Filter, Transitions = [], Expiration, ...rest } = inFilter(rule);
  const moves = [...Transitions].sort((a, b) => (a.Days ?? 0) - (b.Days ?? 0));
  const expiry = {
    ...Expiration,
    ExpiredObjectDeleteMarker: Expiration?.ExpiredObjectDeleteMarker || undefined,
  };
  const prefix = { Prefix: '', ...Filter };
  return sortedJson({ ...rest, Filter: prefix, Transitions: moves, Expiration: expiry });
}
