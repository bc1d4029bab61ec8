import { renewThemselves } from '../domain/credential-renewal.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import type { MetricName } from './metrics-catalogue.ts';

/** What the metrics are made of. */
export interface Measured extends MeasuredProcess {
  readonly status: Status;
  readonly report: Report | undefined;
  readonly nowMs: number;
}

/** What can be told whatever has become of the journal. */
export interface MeasuredProcess {
  readonly version: string;
  readonly counts: EventCounts;
  readonly process: ProcessUse;
  readonly eventLoopLagSeconds: number;
}

/** Undefined: the system does not tell. */
export interface ProcessUse {
  readonly residentBytes: number | undefined;
  readonly cpuSeconds: number | undefined;
  readonly openFds: number | undefined;
}

/** Series of one metric: a number, or numbers by the values of its one label. Undefined is left out. */
export type Series = number | undefined | Readonly<Record<string, number | undefined>>;
export type MetricValues = Readonly<Partial<Record<MetricName, Series>>>;

const levels = { ok: 0, warning: 1, critical: 2 } as const;
const findingsMax = 50;

/** While the state directory cannot be used: nothing is made up of what only the journal knows. */
export function troubledValues(measured: MeasuredProcess): MetricValues {
  return { ...processValues(measured), ...countedValues(measured), trainlogd_state_usable: 0 };
}

export function metricValues(measured: Measured): Required<MetricValues> {
  const { status, report } = measured;
  return {
    ...processValues(measured),
    ...countedValues(measured),
    ...sessionValues(measured),
    ...backlogValues(measured),
    ...uploadValues(measured),
    ...destinationValues(measured),
    ...credentialValues(measured),
    trainlogd_report_level: report && levels[report.level],
    trainlogd_report_timestamp_seconds: seconds(report?.at),
    trainlogd_report_findings: report && findingsByLevel(report),
    trainlogd_report_finding: report && findingsByCode(report),
    trainlogd_disk_free_bytes: byDisk(report, 'freeBytes'),
    trainlogd_disk_total_bytes: byDisk(report, 'totalBytes'),
    trainlogd_disk_free_inodes: byDisk(report, 'freeInodes'),
    trainlogd_clock_offset_seconds: (status.clockBehindMs ?? 0) / 1000,
    trainlogd_state_usable: 1,
    trainlogd_folder_present: status.folderState === 'present' ? 1 : 0,
    trainlogd_watch_looks_total: report?.watch.looks,
    trainlogd_watch_missed_by_events_total: report?.watch.missedByEvents,
    trainlogd_watch_last_look_timestamp_seconds: seconds(report?.watch.lastLookAt),
  };
}

function processValues({ version, counts, process, eventLoopLagSeconds }: MeasuredProcess) {
  return {
    trainlogd_build_info: { [version]: 1 },
    trainlogd_start_timestamp_seconds: counts.startedAtMs / 1000,
    trainlogd_process_resident_memory_bytes: process.residentBytes,
    trainlogd_process_cpu_seconds_total: process.cpuSeconds,
    trainlogd_process_open_fds: process.openFds,
    trainlogd_event_loop_lag_seconds: eventLoopLagSeconds,
  };
}

/** What was counted since the process began. */
function countedValues({ counts }: MeasuredProcess) {
  return {
    trainlogd_sessions_found_total: counts.sessionsFound,
    trainlogd_sessions_ended_total: counts.sessionsEnded,
    trainlogd_session_logs_total: { final: counts.finalLogs, snapshot: counts.snapshots },
    trainlogd_session_warnings_total: counts.sessionWarnings,
    trainlogd_sessions_vanished_total: counts.sessionsVanished,
    trainlogd_uploaded_files_total: counts.uploadedFiles,
    trainlogd_uploaded_bytes_total: counts.uploadedBytes,
    trainlogd_upload_duration_seconds_total: counts.uploadMs / 1000,
    trainlogd_uploads_restarted_total: counts.uploadsRestarted,
    trainlogd_retries_total: counts.retries,
    trainlogd_failures_total: {
      transient: counts.retries,
      blocked: counts.blocks,
      permanent: counts.parked,
    },
    trainlogd_vanished_files_total: counts.vanishedFiles,
    trainlogd_deleted_files_total: counts.deletedFiles,
    trainlogd_deleted_bytes_total: counts.deletedBytes,
    trainlogd_destination_throttles_total: counts.throttles,
    trainlogd_credentials_renewal_failures_total: counts.renewalsFailed,
  };
}

function sessionValues({ status }: Measured) {
  const { open, shipping, shipped, skipped } = status.backlog;
  return {
    trainlogd_sessions: { open, shipping, shipped, skipped, elsewhere: status.elsewhere?.length ?? 0 },
  };
}

function backlogValues({ status, report, nowMs }: Measured) {
  const { pendingFiles, pendingBytes, oldestPendingFoundAtMs, parkedFiles } = status.backlog;
  const ageMs = oldestPendingFoundAtMs === undefined ? 0 : Math.max(0, nowMs - oldestPendingFoundAtMs);
  return {
    trainlogd_backlog_files: pendingFiles,
    trainlogd_backlog_bytes: pendingBytes,
    trainlogd_backlog_oldest_age_seconds: ageMs / 1000,
    trainlogd_backlog_stuck_seconds: report && (report.backlog.stuckSeconds ?? 0),
    trainlogd_backlog_drain_seconds: report?.backlog.drainSeconds,
    trainlogd_parked_files: parkedFiles,
    trainlogd_throughput_bytes_per_second: report?.backlog.bytesPerSecond,
  };
}

function uploadValues({ status }: Measured) {
  const { parts, uploads } = status;
  const total = (key: 'sentBytes' | 'sizeBytes') => uploads.reduce((sum, one) => sum + one[key], 0);
  return {
    trainlogd_uploads_in_flight: uploads.length,
    trainlogd_uploads_in_flight_bytes: { sent: total('sentBytes'), total: total('sizeBytes') },
    trainlogd_unfinished_uploads: parts && { open: parts.open, abandoned: parts.abandoned },
    trainlogd_unfinished_upload_bytes: parts && { open: parts.openBytes, abandoned: parts.abandonedBytes },
  };
}

function destinationValues({ status, report, counts }: Measured) {
  const { blocked, throttled } = status;
  const successes = [seconds(report?.lastSuccessAt), (counts.lastSuccessAtMs ?? Number.NaN) / 1000];
  const last = Math.max(...successes.filter((at) => at !== undefined && Number.isFinite(at)).map(Number));
  return {
    trainlogd_destination_blocked: blocked ? 1 : 0,
    trainlogd_destination_blocked_info: blocked && { [labelOf(blocked.code)]: 1 },
    trainlogd_destination_blocked_seconds: (blocked?.sinceMs ?? 0) / 1000,
    trainlogd_destination_throttled: throttled ? 1 : 0,
    trainlogd_last_success_timestamp_seconds: Number.isFinite(last) ? last : undefined,
  };
}

function credentialValues({ status: { credentials }, report }: Measured) {
  const valid = report?.credentials?.valid;
  return {
    trainlogd_credentials_valid: valid === undefined ? undefined : Number(valid),
    trainlogd_credentials_expiry_timestamp_seconds: seconds(
      credentials?.expiresAt ?? report?.credentials?.expiresAt,
    ),
    trainlogd_credentials_renewable: credentials && Number(renewThemselves(credentials.source)),
    trainlogd_credentials_renewal_failing: credentials && (credentials.problem === undefined ? 0 : 1),
  };
}

function findingsByLevel({ findings }: Report): Readonly<Record<string, number>> {
  const count = (level: string) => findings.filter((finding) => finding.level === level).length;
  return { warning: count('warning'), critical: count('critical') };
}

/** Codes are this program's own, a few dozen; the worst of each counts. */
function findingsByCode({ findings }: Report): Readonly<Record<string, number>> {
  const worst: Record<string, number> = {};
  for (const { code, level } of findings.slice(0, findingsMax)) {
    const label = labelOf(code);
    if (level !== 'ok') worst[label] = Math.max(worst[label] ?? 0, levels[level]);
  }
  return worst;
}

function byDisk(
  report: Report | undefined,
  key: 'freeBytes' | 'totalBytes' | 'freeInodes',
): Readonly<Record<string, number | undefined>> | undefined {
  return report && Object.fromEntries(report.disks.map((disk) => [disk.of, disk[key]]));
}

function seconds(time: string | undefined): number | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** A server may send any text as its code. */
function labelOf(code: string): string {
  return /^[\w.-]{1,64}$/.test(code) ? code : 'other';
}
