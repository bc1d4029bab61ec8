import type { Finding, Level } from '../domain/finding.ts';

/**
 * Everything that trainlogd has to say, declared once. Logic emits; adapters/winston-events.ts alone makes lines of it.
 * Emitting never throws and never waits. Paths are already display text; no field ever holds a secret.
 */
export interface EventMap {
  'daemon.started': { folder: string; destination: string; state: string; version: string; network: boolean };
  'daemon.draining': { timeoutMs: number; signal: string };
  'host.going': { because: string; quietMs: number };
  'daemon.forced': { signal: string };
  'daemon.stopped': { unsent: number; exitCode: number };
  'config.warning': { problem: string };
  /** Sections that differ; none: only credentials are looked for again. */
  'config.reloaded': { changed: readonly string[] };
  'config.rejected': { problems: readonly string[] };
  'folder.missing': { folder: string; remedy: string };
  'folder.found': { folder: string };
  'folder.replaced': { folder: string };
  'folder.problem': { path: string; code: string; remedy: string };
  'folder.loose': { path: string; count: number; example: string };
  'watch.degraded': { code: string; message: string; remedy: string };
  'claims.impossible': { code: string; message: string; remedy: string };
  'files.limit': { code: string; message: string; remedy: string };
  'claim.released': { session: string; path: string; reason: string };
  'session.found': { session: string; path: string; by: string };
  'session.skipped': { count: number; olderThan: string };
  'session.sealed': { session: string; status: string; by: string };
  'session.reopened': { session: string };
  /** A person asked for it; `files` with the session's log. */
  'session.retried': { session: string; files: number };
  'session.renamed': { session: string; wanted: string; reason: string };
  'session.shipped': { session: string; key: string; status: string; revision: number; missing: number };
  /** A later log of a session that goes on. */
  'session.snapshot': { session: string; key: string; status: string; revision: number; missing: number };
  'session.warning': { session: string; warning: string; more: number };
  'session.vanished': { session: string; path: string };
  'file.uploaded': { session: string; path: string; key: string; sizeBytes: number; durationMs: number };
  'file.unchanged': { session: string; path: string };
  'file.parked': {
    session: string;
    path: string;
    reason: string;
    code: string;
    cause: string;
    remedy: string;
  };
  'file.vanished': { session: string; path: string };
  'file.kept': { session: string; path: string; code: string; cause: string; remedy: string };
  'file.deleted': { session: string; path: string; sizeBytes: number };
  'upload.retry': {
    session: string;
    path: string;
    attempt: number;
    delayMs: number;
    code: string;
    cause: string;
    /** Should it stay so. */
    remedy?: string;
  };
  /** Another host had sent the beginning of it. */
  'upload.continued': { session: string; path: string; sentBytes: number };
  'upload.restarted': { session: string; path: string; sentBytes: number; cause: string };
  'destination.blocked': {
    destination: string;
    code: string;
    cause: string;
    remedy: string;
    probeInMs: number;
  };
  'destination.throttled': { destination: string; code: string; requests: number; of: number };
  'destination.unthrottled': { destination: string; requests: number };
  'destination.open': { destination: string; blockedForMs: number };
  /** On a shared folder: another host ships the session. */
  'lease.held': { session: string; host: string };
  'lease.taken': { session: string; from: string; because: string };
  'lease.lost': { session: string; host: string };
  'lease.problem': { session: string; code: string; cause: string; remedy: string };
  'journal.recovered': { openSessions: number; unfinishedSessions: number; unfinishedFiles: number };
  'journal.trouble': { state: string; code: string; cause: string; remedy: string; probeInMs: number };
  'journal.usable': { state: string; forMs: number };
  'journal.damaged': { state: string; cause: string; file: string };
  /** `sessions`: of those that are known, the first few. */
  'claims.kept': { directory: string; files: number; sessions: readonly string[]; because: string };
  'claims.dropped': { directory: string; files: number; because: string };
  /** Where new credentials come from, and until when they hold (RFC 3339). */
  'credentials.changed': { source: string; expiresAt: string | undefined };
  'credentials.problem': { source: string; cause: string; remedy: string };
  /** How far the host's clock is behind the server's; negative: ahead of it. */
  'clock.skewed': { offsetMs: number };
  'clock.right': Record<string, never>;
  /** Where health, metrics and pages are served. */
  'http.listening': { url: string; pages: string };
  'http.unavailable': { address: string; code: string; remedy: string; retryInMs: number };
  'http.failed': { target: string; cause: string };
  /** Nothing is wrong, as before; nothing is wrong any more; what is wrong is news, or has not been told for long. */
  'report.ok': ReportTold;
  'report.recovered': ReportTold;
  'report.warning': ReportTold;
  'report.critical': ReportTold;
  /** What is wrong was told before. */
  'report.unchanged': ReportTold;
  'report.failed': { cause: string };
  /** The queue stands still though nothing blocks it; the watchdog of systemd will restart the service. */
  'queue.stuck': { forMs: number; watchdogMs: number };
  'service.failed': { service: string; cause: string };
}

interface ReportTold {
  verdict: Level;
  findings: readonly Finding[];
  /** Findings beyond those. */
  more: number;
  backlogFiles: number;
  backlogBytes: number;
  stuckSeconds?: number;
  drainSeconds?: number;
}

export type EventName = keyof EventMap;

export interface Events {
  emit<Name extends EventName>(name: Name, fields: EventMap[Name]): void;
}
