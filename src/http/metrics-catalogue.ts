/**
 * Every metric that `/metrics` can serve: names, labels with all the values that they can have, and meanings.
 * docs/metrics.md is held against it. Public: a name that was released keeps its meaning.
 */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter';
  /** All values that a label can have; `any`: values from a fixed list of this program's, or one value at a time. */
  readonly labels?: Readonly<Record<string, readonly string[] | 'any'>>;
  readonly help: string;
}

const of = { of: ['folder', 'state'] } as const;
const uploadState = { state: ['open', 'abandoned'] } as const;

export const metricsCatalogue = {
  trainlogd_build_info: {
    type: 'gauge',
    labels: { version: 'any' },
    help: 'Always 1; the version that runs',
  },
  trainlogd_start_timestamp_seconds: { type: 'gauge', help: 'When this process began, Unix time' },

  trainlogd_sessions: {
    type: 'gauge',
    labels: { state: ['open', 'shipping', 'shipped', 'skipped', 'elsewhere'] },
    help: 'Sessions of the folder by state; elsewhere: another host ships them',
  },
  trainlogd_sessions_found_total: {
    type: 'counter',
    help: 'Sessions that were recognised by their files; not those that only their silence made sessions',
  },
  trainlogd_sessions_ended_total: {
    type: 'counter',
    labels: { status: ['completed', 'failed', 'cancelled', 'interrupted', 'stalled'] },
    help: 'Sessions that ended, by status; one that goes on and ends again counts twice',
  },
  trainlogd_session_logs_total: {
    type: 'counter',
    labels: { kind: ['final', 'snapshot'] },
    help: 'Session logs that were written to the destination',
  },
  trainlogd_session_warnings_total: {
    type: 'counter',
    help: 'Warnings of session logs, counted each time that a log is assembled',
  },
  trainlogd_sessions_vanished_total: {
    type: 'counter',
    help: 'Sessions whose directory was removed before they were shipped',
  },

  trainlogd_backlog_files: { type: 'gauge', help: 'Files that wait to be sent' },
  trainlogd_backlog_bytes: { type: 'gauge', help: 'Size of the files that wait to be sent' },
  trainlogd_backlog_oldest_age_seconds: {
    type: 'gauge',
    help: 'How long the oldest session with something to send has been known, a long training since it was found; 0 when nothing waits',
  },
  trainlogd_backlog_stuck_seconds: {
    type: 'gauge',
    help: 'How long nothing has moved although something waits, at the last report; 0 when it moves',
  },
  trainlogd_backlog_drain_seconds: {
    type: 'gauge',
    help: 'Time to send all that waits at the rate of the last report; absent when nothing moves',
  },
  trainlogd_parked_files: {
    type: 'gauge',
    help: 'Files and session logs that need a person; of each, 1,000 are counted at most',
  },

  trainlogd_uploads_in_flight: { type: 'gauge', help: 'Files that are being sent now' },
  trainlogd_uploads_in_flight_bytes: {
    type: 'gauge',
    labels: { of: ['sent', 'total'] },
    help: 'Bytes of the files that are being sent now: sent so far, and in all',
  },
  trainlogd_unfinished_uploads: {
    type: 'gauge',
    labels: uploadState,
    help: 'Uploads in parts that hold bytes in the bucket; abandoned: given up and not freed yet',
  },
  trainlogd_unfinished_upload_bytes: {
    type: 'gauge',
    labels: uploadState,
    help: 'Bytes that these uploads hold in the bucket; they are paid for',
  },
  trainlogd_uploaded_files_total: { type: 'counter', help: 'Files that were sent and verified' },
  trainlogd_uploaded_bytes_total: { type: 'counter', help: 'Size of the files that were sent and verified' },
  trainlogd_upload_duration_seconds_total: {
    type: 'counter',
    help: 'Time that these files took, waits included, summed over uploads side by side',
  },
  trainlogd_uploads_restarted_total: {
    type: 'counter',
    help: 'Uploads in parts that had to begin again, since the file changed or the parts were lost',
  },
  trainlogd_throughput_bytes_per_second: {
    type: 'gauge',
    help: 'Bytes sent per second over the time between the last two reports',
  },
  trainlogd_retries_total: { type: 'counter', help: 'Tries of a file or log that are to be repeated later' },
  trainlogd_failures_total: {
    type: 'counter',
    labels: { kind: ['transient', 'blocked', 'permanent'] },
    help: 'Failures: of one item, repeated; of the destination, all wait; of one item, parked',
  },
  trainlogd_vanished_files_total: {
    type: 'counter',
    help: 'Files that were deleted before they could be sent',
  },
  trainlogd_deleted_files_total: { type: 'counter', help: 'Local files deleted after their receipt' },
  trainlogd_deleted_bytes_total: {
    type: 'counter',
    help: 'Size of the local files deleted after their receipt',
  },

  trainlogd_destination_blocked: {
    type: 'gauge',
    help: '1 while the destination cannot be used and everything waits, else 0',
  },
  trainlogd_destination_blocked_info: {
    type: 'gauge',
    labels: { code: 'any' },
    help: '1 while blocked, with the error code; absent otherwise',
  },
  trainlogd_destination_blocked_seconds: {
    type: 'gauge',
    help: 'For how long the destination has been blocked; 0 when it is not',
  },
  trainlogd_destination_throttled: {
    type: 'gauge',
    help: '1 while the destination asks for fewer requests and gets fewer, else 0',
  },
  trainlogd_destination_throttles_total: {
    type: 'counter',
    help: 'How often the destination asked for fewer requests',
  },
  trainlogd_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When something last arrived in the destination, Unix time; absent when nothing has',
  },

  trainlogd_credentials_valid: {
    type: 'gauge',
    help: '1 when the destination accepted the credentials at the last report, 0 when not; absent for a directory, and where it could not be asked',
  },
  trainlogd_credentials_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the credentials expire, Unix time; absent when they do not, or do not say so',
  },
  trainlogd_credentials_renewable: {
    type: 'gauge',
    help: '1 when the credentials renew themselves, 0 when somebody must give new ones; absent for a directory',
  },
  trainlogd_credentials_renewal_failing: {
    type: 'gauge',
    help: '1 while credentials could not be renewed, else 0; absent for a directory',
  },
  trainlogd_credentials_renewal_failures_total: {
    type: 'counter',
    help: 'Renewals of credentials that failed',
  },

  trainlogd_report_level: {
    type: 'gauge',
    help: 'Verdict of the last report: 0 ok, 1 warning, 2 critical; absent before the first',
  },
  trainlogd_report_timestamp_seconds: { type: 'gauge', help: 'When the last report was made, Unix time' },
  trainlogd_report_findings: {
    type: 'gauge',
    labels: { level: ['warning', 'critical'] },
    help: 'Findings of the last report by level',
  },
  trainlogd_report_finding: {
    type: 'gauge',
    labels: { code: 'any' },
    help: 'What the last report found, by the code of the finding: 1 a warning, 2 critical; absent when it is not so',
  },

  trainlogd_disk_free_bytes: {
    type: 'gauge',
    labels: of,
    help: 'Free space of the file systems of the watched folder and of the state directory, at the last report',
  },
  trainlogd_disk_total_bytes: { type: 'gauge', labels: of, help: 'Size of these file systems' },
  trainlogd_disk_free_inodes: {
    type: 'gauge',
    labels: of,
    help: 'Free inodes of these file systems; absent where they are made as needed',
  },
  trainlogd_clock_offset_seconds: {
    type: 'gauge',
    help: "How far this host's clock is behind the server's; negative: ahead; 0 when they agree",
  },

  trainlogd_folder_present: {
    type: 'gauge',
    help: '1 when the watched folder is there and readable, else 0',
  },
  trainlogd_state_usable: {
    type: 'gauge',
    help: '0 while the state directory cannot be used and nothing goes on until it can, else 1',
  },
  trainlogd_watch_looks_total: { type: 'counter', help: 'Looks at the whole folder, as of the last report' },
  trainlogd_watch_missed_by_events_total: {
    type: 'counter',
    help: 'Changes that only a look at the whole folder found, as of the last report',
  },
  trainlogd_watch_last_look_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last look at the whole folder ended, Unix time',
  },

  trainlogd_process_resident_memory_bytes: { type: 'gauge', help: 'Memory of this process' },
  trainlogd_process_cpu_seconds_total: { type: 'counter', help: 'CPU time of this process, user and system' },
  trainlogd_process_open_fds: { type: 'gauge', help: 'Open file descriptors of this process' },
  trainlogd_event_loop_lag_seconds: {
    type: 'gauge',
    help: 'How much later than asked the event loop came round when the metrics were made',
  },
} satisfies Readonly<Record<`trainlogd_${string}`, MetricDefinition>>;

export type MetricName = keyof typeof metricsCatalogue;

export const metricNames = Object.keys(metricsCatalogue) as readonly MetricName[];

export function metricOf(name: MetricName): MetricDefinition {
  return metricsCatalogue[name];
}
