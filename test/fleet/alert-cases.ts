/** Series of one host in the notation of promtool, one value a minute: `1+0x900` stays 1, `0+60x900` is a clock. */
export type Series = Readonly<Record<string, string | undefined>>;

export interface AlertCase {
  /** How the host differs from one on which all is well. */
  readonly series: Series;
  /** When it is looked at, in minutes. */
  readonly at: number;
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  /** What the summary calls the value. */
  readonly value?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Others that the same trouble sets off. */
  readonly also?: readonly string[];
}

const always = (value: number) => `${value}+0x900`;
/** A time that is always the present one: in promtool the world begins at 0. */
const now = '0+60x900';
const gib = 1024 ** 3;

/** What is looked at every five minutes. */
export const evaluationInterval = '5m';

/** All is well: a backlog that moves, credentials that end next month. */
export const healthy: Series = {
  up: always(1),
  trainlogd_start_timestamp_seconds: always(0),
  'trainlogd_sessions{state="open"}': always(2),
  'trainlogd_sessions{state="shipping"}': '0 1 1 0 1 0+0x900',
  trainlogd_report_timestamp_seconds: now,
  trainlogd_backlog_stuck_seconds: always(0),
  trainlogd_backlog_drain_seconds: always(40),
  // A training of days that ended and is being shipped, again and again.
  trainlogd_backlog_oldest_age_seconds: Array.from({ length: 90 }, () => '90000 90060 0 0 0 0 0 0 0 0').join(
    ' ',
  ),
  trainlogd_parked_files: always(0),
  trainlogd_destination_blocked_seconds: always(0),
  trainlogd_credentials_valid: always(1),
  trainlogd_credentials_expiry_timestamp_seconds: always(30 * 86_400),
  trainlogd_credentials_renewable: always(0),
  trainlogd_credentials_renewal_failing: always(0),
  'trainlogd_disk_free_bytes{of="state"}': always(50 * gib),
  'trainlogd_disk_total_bytes{of="state"}': always(100 * gib),
  'trainlogd_disk_free_bytes{of="folder"}': always(600 * gib),
  'trainlogd_disk_total_bytes{of="folder"}': always(10_000 * gib),
  'trainlogd_disk_free_inodes{of="state"}': always(1_000_000),
  trainlogd_state_usable: always(1),
  trainlogd_folder_present: always(1),
  trainlogd_watch_last_look_timestamp_seconds: now,
  'trainlogd_report_finding{code="uploads.abandoned"}': always(1),
  trainlogd_clock_offset_seconds: always(-2),
};

const onlyUp: Series = { ...Object.fromEntries(Object.keys(healthy).map((name) => [name, undefined])) };

export const alertCases: Readonly<Record<string, AlertCase>> = {
  'a host that does not answer': {
    alert: 'TrainlogdDown',
    severity: 'warning',
    series: { ...onlyUp, up: always(0) },
    at: 15,
  },
  'a host that died, with sessions': {
    alert: 'TrainlogdLost',
    severity: 'critical',
    series: { ...onlyUp, up: '1+0x10 0+0x900', 'trainlogd_sessions{state="open"}': '2+0x10 stale' },
    at: 60,
    value: '2',
    also: ['TrainlogdDown'],
  },
  'a host that was taken away although it could not ship': {
    alert: 'TrainlogdLost',
    severity: 'critical',
    series: {
      ...onlyUp,
      up: '1+0x10 stale',
      'trainlogd_sessions{state="open"}': '2+0x10 stale',
      'trainlogd_sessions{state="shipping"}': '1+0x10 stale',
      trainlogd_destination_blocked_seconds: '0+60x10 stale',
    },
    at: 60,
    value: '3',
  },
  'a report that was made an hour ago': {
    alert: 'TrainlogdNoReport',
    severity: 'warning',
    series: { trainlogd_report_timestamp_seconds: always(0) },
    at: 60,
    value: '1h 0m 0s',
  },
  'a report that was never made': {
    alert: 'TrainlogdNoReport',
    severity: 'warning',
    series: { trainlogd_report_timestamp_seconds: undefined },
    at: 30,
    value: '30m 0s',
  },
  'a backlog that does not move': {
    alert: 'TrainlogdBacklogStuck',
    severity: 'warning',
    series: { trainlogd_backlog_stuck_seconds: '0+60x900', trainlogd_backlog_drain_seconds: undefined },
    at: 20,
    value: '20m 0s',
  },
  'a backlog that has not moved for hours': {
    alert: 'TrainlogdBacklogStuck',
    severity: 'critical',
    series: { trainlogd_backlog_stuck_seconds: '0+60x900', trainlogd_backlog_drain_seconds: undefined },
    at: 120,
    value: '2h 0m 0s',
  },
  'one session that waits while others are shipped': {
    alert: 'TrainlogdBacklogOld',
    severity: 'warning',
    series: { trainlogd_backlog_oldest_age_seconds: '0+60x900' },
    at: 800,
  },
  'more than can be sent': {
    alert: 'TrainlogdBacklogSlow',
    severity: 'warning',
    series: { trainlogd_backlog_drain_seconds: always(2 * 86_400) },
    at: 90,
    value: '2d 0h 0m 0s',
  },
  'files that were refused': {
    alert: 'TrainlogdParked',
    severity: 'warning',
    // What is parked also keeps its session from being shipped.
    series: { trainlogd_parked_files: always(3), trainlogd_backlog_oldest_age_seconds: '0+60x900' },
    at: 800,
    value: '3',
  },
  'a bucket that cannot be used': {
    alert: 'TrainlogdBlocked',
    severity: 'critical',
    series: { trainlogd_destination_blocked_seconds: '0+60x900' },
    at: 20,
    value: '20m 0s',
  },
  'credentials that are refused': {
    alert: 'TrainlogdCredentialsInvalid',
    severity: 'critical',
    series: { trainlogd_credentials_valid: always(0) },
    at: 10,
  },
  'credentials that end soon': {
    alert: 'TrainlogdCredentialsExpiring',
    severity: 'warning',
    series: { trainlogd_credentials_expiry_timestamp_seconds: always(10 * 3600) },
    at: 60,
    value: '9h 0m 0s',
  },
  'credentials that end before the backlog': {
    alert: 'TrainlogdCredentialsEndBeforeBacklog',
    severity: 'critical',
    series: {
      trainlogd_credentials_expiry_timestamp_seconds: always(40 * 60),
      trainlogd_backlog_drain_seconds: always(55 * 60),
    },
    at: 20,
    value: '55m 0s',
    also: ['TrainlogdCredentialsExpiring'],
  },
  'a role that cannot be assumed any more': {
    alert: 'TrainlogdRenewalFailing',
    severity: 'warning',
    series: {
      trainlogd_credentials_renewable: always(1),
      trainlogd_credentials_expiry_timestamp_seconds: always(30 * 60),
      trainlogd_credentials_renewal_failing: always(1),
    },
    at: 15,
  },
  'a full disk': {
    alert: 'TrainlogdDiskLow',
    severity: 'warning',
    series: { 'trainlogd_disk_free_bytes{of="state"}': always(4 * gib) },
    at: 20,
    labels: { of: 'state' },
  },
  'no inodes': {
    alert: 'TrainlogdDiskLow',
    severity: 'warning',
    series: { 'trainlogd_disk_free_inodes{of="state"}': always(9) },
    at: 20,
    labels: { of: 'state' },
  },
  'a state directory that is read-only': {
    alert: 'TrainlogdStateUnusable',
    severity: 'critical',
    // All that is told then, also long after the start: no report is made.
    series: {
      ...onlyUp,
      up: always(1),
      trainlogd_start_timestamp_seconds: always(0),
      trainlogd_state_usable: always(0),
    },
    at: 60,
  },
  'a folder that is not mounted': {
    alert: 'TrainlogdFolderMissing',
    severity: 'critical',
    series: { trainlogd_folder_present: always(0) },
    at: 15,
  },
  'looks that are overdue': {
    alert: 'TrainlogdWatchDegraded',
    severity: 'warning',
    series: { trainlogd_watch_last_look_timestamp_seconds: always(0) },
    at: 400,
  },
  'events that do not come': {
    alert: 'TrainlogdWatchDegraded',
    severity: 'warning',
    series: { 'trainlogd_report_finding{code="watch.missed"}': always(1) },
    at: 40,
    labels: { code: 'watch.missed' },
  },
  'a clock that is wrong': {
    alert: 'TrainlogdClockOff',
    severity: 'warning',
    series: { trainlogd_clock_offset_seconds: always(-3600) },
    at: 20,
    value: '1h 0m 0s',
  },
};
