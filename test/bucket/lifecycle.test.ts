import { describe, expect, test } from 'vitest';
import type { BucketWish } from '../../src/bucket/desired-state.ts';
import { compareLifecycle } from '../../src/bucket/lifecycle.ts';
import type { LifecycleRule } from '../../src/ports/bucket-admin.ts';
import { guideRule, markers, wish } from './wishes.ts';

const [ia, glacier] = guideRule.Transitions ?? [];
const { Transitions: _moves, ...still } = guideRule;
const { Expiration: _expiry, ...kept } = guideRule;
const chosen = (expireAfterDays?: number): Partial<BucketWish> =>
  // Absent is never, and undefined is no way of saying it.
  ({ isExpiryChosen: true, ...({ expireAfterDays } as { expireAfterDays: number }) });

interface Row {
  readonly is: string;
  readonly wished?: Partial<BucketWish>;
  readonly have?: readonly LifecycleRule[];
  /** The rule for logs afterwards; absent: nothing is changed. */
  readonly logs?: LifecycleRule;
  readonly told?: readonly string[];
}

const rows: readonly Row[] = [
  { is: 'no rule at all', have: [], logs: guideRule },
  { is: 'both rules', have: [guideRule, markers] },
  {
    is: "the guide's rule, as the guide has it",
    have: [
      {
        ID: 'training-logs-lifecycle',
        Status: 'Enabled',
        Filter: { Prefix: 'training-logs/' },
        Transitions: guideRule.Transitions,
        Expiration: { Days: 365 },
      },
    ],
    logs: guideRule,
  },
  {
    is: 'the same rules with their parts in another order, and the older form of a prefix',
    have: [
      markers,
      {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
        Prefix: 'training-logs/',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Transitions: [...(guideRule.Transitions ?? [])].reverse(),
        Expiration: { Days: 365, ExpiredObjectDeleteMarker: false },
        Status: 'Enabled',
        ID: 'training-logs-lifecycle',
      },
    ],
  },
  {
    is: 'a rule that is switched off',
    have: [{ ...guideRule, Status: 'Disabled' }, markers],
    logs: guideRule,
  },
  {
    is: 'a rule for some objects only',
    have: [{ ...guideRule, Filter: { Prefix: 'training-logs/', ObjectSizeGreaterThan: 9 } }, markers],
    logs: guideRule,
  },
  {
    is: 'a rule that deletes some objects soon: all of them would be deleted as soon',
    have: [
      { ...guideRule, Filter: { Prefix: 'training-logs/tmp/' }, Expiration: { Days: 7 }, Transitions: [] },
      markers,
    ],
    logs: guideRule,
  },
  {
    is: 'a rule that is switched off and would delete soon',
    have: [{ ...guideRule, Status: 'Disabled', Expiration: { Days: 7 }, Transitions: [] }, markers],
    logs: guideRule,
  },
  {
    is: 'a rule for some objects only that deletes nothing',
    have: [{ ...kept, Filter: { Prefix: 'training-logs/', Tag: { Key: 'a', Value: 'b' } } }, markers],
    logs: kept,
    told: ['expiry: never, not after 365 days'],
  },
  {
    is: 'an expiry that is sooner than the default: stays',
    have: [{ ...guideRule, Expiration: { Days: 180 } }, markers],
    told: ['expiry: after 180 days, not after 365 days'],
  },
  {
    is: 'an expiry that is later than the default: stays',
    have: [{ ...guideRule, Expiration: { Days: 730 } }, markers],
    told: ['expiry: after 730 days, not after 365 days'],
  },
  {
    is: 'a rule that deletes nothing: does not begin to',
    have: [kept, markers],
    told: ['expiry: never, not after 365 days'],
  },
  {
    is: 'an expiry on a date: becomes an age',
    have: [{ ...guideRule, Expiration: { Date: new Date('2027-01-01') } }, markers],
    logs: guideRule,
  },
  {
    is: 'an expiry other than the one that was chosen',
    wished: chosen(400),
    have: [guideRule, markers],
    logs: { ...guideRule, Expiration: { Days: 400 } },
  },
  { is: 'an expiry where never was chosen', wished: chosen(), have: [guideRule, markers], logs: kept },
  {
    is: 'an expiry on the day on which objects would move: they stay where they are',
    wished: chosen(90),
    have: [],
    logs: { ...guideRule, Transitions: ia && [ia], Expiration: { Days: 90 } },
  },
  {
    is: 'an expiry one day later: they move',
    wished: chosen(91),
    have: [],
    logs: { ...guideRule, Transitions: ia && glacier && [ia, glacier], Expiration: { Days: 91 } },
  },
  {
    is: 'an expiry before any move',
    wished: chosen(30),
    have: [],
    logs: { ...still, Expiration: { Days: 30 } },
  },
  {
    is: 'old versions that are kept longer: stay',
    have: [
      { ...guideRule, NoncurrentVersionExpiration: { NoncurrentDays: 90, NewerNoncurrentVersions: 2 } },
      markers,
    ],
    told: ['old versions: 90 days, the newest 2 for good, not 30 days'],
  },
  {
    is: 'old versions that go sooner',
    have: [{ ...guideRule, NoncurrentVersionExpiration: { NoncurrentDays: 3 } }, markers],
    logs: guideRule,
  },
  {
    is: 'unfinished uploads that are aborted while the agent still goes on with them',
    have: [{ ...guideRule, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }, markers],
    logs: guideRule,
  },
];

describe('compareLifecycle()', () => {
  test.each(rows)('of $is', ({ wished, have = [], logs, told = [] }) => {
    const { lines, changes } = compareLifecycle(wish(wished).lifecycle, { rules: have });
    const rulesAfter = changes.flatMap((change) =>
      change.setting === 'lifecycle' ? change.value.rules : [],
    );
    expect(rulesAfter.find(({ ID }) => ID === guideRule.ID)).toEqual(logs);
    const stays = lines.flatMap((line) => (line.state === 'kept' ? [line] : []));
    expect(stays.map((line) => `${line.setting}: ${line.have}, not ${line.want}`)).toEqual(told);
  });

  test('hands back the rules of others and what else is said, in their order, and says nothing of them', () => {
    const others: LifecycleRule[] = [
      {
        ID: 'theirs',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'training-logs/', Tags: [{ Key: 'a', Value: 'b' }] } },
        Expiration: { Days: 1 },
      },
      { ID: 'older', Status: 'Disabled', Prefix: 'x/', Expiration: { Days: 5 } },
      {
        Status: 'Enabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
      },
    ];
    const [first, second, third] = others as [LifecycleRule, LifecycleRule, LifecycleRule];
    const have = { rules: [first, kept, second, third], minimumSize: 'varies_by_storage_class' };
    const { lines, changes } = compareLifecycle(wish().lifecycle, have);
    const { Prefix: _, ...secondRest } = second;
    expect(changes).toEqual([
      {
        setting: 'lifecycle',
        value: {
          minimumSize: 'varies_by_storage_class',
          // S3 takes rules of the older form beside newer ones only as newer ones.
          rules: [first, kept, { ...secondRest, Filter: { Prefix: 'x/' } }, third, markers],
        },
      },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/theirs|older/);
  });

  test("of another prefix has rules of its own, and leaves the guide's alone", () => {
    const wished = wish({ keyTemplate: 'team-b/{year}/{session-id}.log' });
    const { changes } = compareLifecycle(wished.lifecycle, { rules: [guideRule, markers] });
    const rules = changes.flatMap((change) => (change.setting === 'lifecycle' ? change.value.rules : []));
    expect(rules.slice(0, 2)).toEqual([guideRule, markers]);
    expect(rules.slice(2).map(({ ID, Filter }) => [ID, Filter?.Prefix])).toEqual([
      ['training-logs-lifecycle:team-b/', 'team-b/'],
      ['training-logs-delete-markers:team-b/', 'team-b/'],
    ]);
  });
});
