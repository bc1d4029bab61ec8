import type { EventMap, EventName } from '../ports/events.ts';
import { keptDays } from './kept-claims.ts';

export type Level = 'error' | 'warn' | 'info' | 'debug';

type Lines = { readonly [Name in EventName]: readonly [Level, (fields: EventMap[Name]) => string] };

/** Each event's level and its sentence for people; a table, so that what an operator may see can be read in one place. */
export const eventLines: Lines = {
  'daemon.started': ['info', (e) => `watching ${e.folder}, shipping to ${e.destination}`],
  'daemon.draining': [
    'info',
    (e) => `${e.signal}: shipping what fits in ${seconds(e.timeoutMs)}; a second signal stops at once`,
  ],
  'host.going': [
    'info',
    (e) =>
      `${e.because}: sessions that nobody writes to for ${seconds(e.quietMs)} are sealed as interrupted, the others shortly before the deadline`,
  ],
  'daemon.forced': [
    'warn',
    (e) => `second ${e.signal}: stopping at once; what is unsent goes on at the next start`,
  ],
  'daemon.stopped': [
    'info',
    (e) =>
      e.unsent === 0 ? 'stopped, nothing is left to ship' : `stopped, ${e.unsent} items are left to ship`,
  ],
  'config.warning': ['warn', (e) => e.problem],
  'config.reloaded': [
    'info',
    (e) =>
      e.changed.length === 0
        ? 'the configuration was read again and is the same; credentials are looked for again'
        : `the configuration was read again, different in ${e.changed.join(', ')}: going on with it`,
  ],
  'config.rejected': [
    'error',
    (e) =>
      `the configuration was read again and is not usable, the one before stays in force: ${e.problems.join('; ')}`,
  ],
  'folder.missing': ['warn', (e) => `the folder ${e.folder} cannot be watched: ${e.remedy}`],
  'folder.found': ['info', (e) => `the folder ${e.folder} is there now`],
  'folder.replaced': [
    'warn',
    (e) =>
      `the folder ${e.folder} is another one than before (made again, or mounted over); looking at all of it`,
  ],
  'folder.problem': ['warn', (e) => `${e.path} could not be read, ${e.code}: ${e.remedy}`],
  'folder.loose': [
    'warn',
    (e) =>
      `${e.count} files in ${e.path}, such as ${e.example}, belong to no session and are not shipped: write a session.json where their session starts, or set watch.sessions`,
  ],
  'watch.degraded': ['warn', (e) => `watching by scans only, ${e.code}: ${e.message}: ${e.remedy}`],
  'claims.impossible': [
    'info',
    (e) =>
      `files cannot be kept alive should the training delete them before they are sent, ${e.code}: ${e.message}: ${e.remedy}`,
  ],
  'files.limit': ['warn', (e) => `${e.code}: ${e.message}: ${e.remedy}`],
  'claim.released': ['warn', (e) => `session ${e.session}: ${e.path} is no longer kept alive: ${e.reason}`],
  'session.found': ['info', (e) => `session ${e.session} found (${e.by})`],
  'session.skipped': [
    'info',
    (e) =>
      `${e.count} sessions did not change for ${e.olderThan} and are left alone; trainlogd backfill ships them`,
  ],
  'session.sealed': ['info', (e) => `session ${e.session} ended: ${e.status} (${e.by})`],
  'session.reopened': ['info', (e) => `session ${e.session} goes on`],
  'session.retried': [
    'info',
    (e) => `session ${e.session}: ${e.files} parked ${e.files === 1 ? 'item is' : 'items are'} tried again`,
  ],
  'session.renamed': [
    'warn',
    (e) => `session id "${e.wanted}" is taken, ${e.reason}: shipped as "${e.session}"`,
  ],
  'session.shipped': [
    'info',
    (e) =>
      `session ${e.session} is in the bucket: ${e.key}, ${e.status}, revision ${e.revision}${e.missing > 0 ? `, ${e.missing} files missing` : ''}`,
  ],
  'session.snapshot': ['debug', (e) => `session ${e.session} goes on: ${e.key}, revision ${e.revision}`],
  'session.warning': [
    'warn',
    (e) =>
      `session ${e.session}: ${e.warning}${e.more > 0 ? ` (and ${e.more} more warnings in its log)` : ''}`,
  ],
  'session.vanished': [
    'warn',
    (e) => `session ${e.session}: its directory ${e.path} is gone before it was shipped`,
  ],
  'file.uploaded': [
    'debug',
    (e) => `${e.session}: ${e.path} is in the bucket (${e.sizeBytes} bytes in ${e.durationMs} ms)`,
  ],
  'file.unchanged': ['debug', (e) => `${e.session}: ${e.path} is in the bucket already`],
  'file.parked': [
    'error',
    (e) => `${e.session}: ${e.path} is not shipped, ${e.code}: ${e.cause}: ${e.remedy}`,
  ],
  'file.vanished': ['warn', (e) => `${e.session}: ${e.path} was deleted before it could be sent`],
  'file.kept': [
    'warn',
    (e) => `${e.session}: ${e.path} is kept although it is in the bucket, ${e.code}: ${e.cause}: ${e.remedy}`,
  ],
  'file.deleted': [
    'info',
    (e) => `${e.session}: ${e.path} deleted here, it is in the bucket (${e.sizeBytes} bytes)`,
  ],
  'upload.retry': [
    'warn',
    (e) =>
      `${e.session}: ${e.path} again in ${seconds(e.delayMs)}, attempt ${e.attempt}, ${e.code}: ${e.cause}${e.remedy === undefined ? '' : `: ${e.remedy}`}`,
  ],
  'upload.continued': [
    'info',
    (e) => `${e.session}: ${e.path} goes on after the ${e.sentBytes} bytes that were sent before`,
  ],
  'upload.restarted': [
    'warn',
    (e) =>
      `${e.session}: ${e.path} is sent again from its beginning, ${e.sentBytes} bytes of it were there: ${e.cause}`,
  ],
  'destination.blocked': [
    'error',
    (e) =>
      `${e.destination} is not usable, ${e.code}: ${e.cause}: ${e.remedy}; trying again in ${seconds(e.probeInMs)}, nothing is lost meanwhile`,
  ],
  'destination.throttled': [
    'warn',
    (e) =>
      `${e.destination} asks for fewer requests, ${e.code}: ${e.requests} of ${e.of} at once until it bears more`,
  ],
  'destination.unthrottled': ['info', (e) => `${e.destination} bears ${e.requests} requests at once again`],
  'destination.open': ['info', (e) => `${e.destination} works again after ${seconds(e.blockedForMs)}`],
  'lease.held': ['info', (e) => `session ${e.session} is shipped by ${e.host}`],
  'lease.taken': ['warn', (e) => `session ${e.session} is taken over from ${e.from} (${e.because})`],
  'lease.lost': [
    'warn',
    (e) => `session ${e.session} was taken over by ${e.host}: nothing more is sent of it from here`,
  ],
  'lease.problem': [
    'error',
    (e) =>
      `session ${e.session}: its lease cannot be used, other hosts may ship it as well, ${e.code}: ${e.cause}: ${e.remedy}`,
  ],
  'journal.recovered': [
    'info',
    (e) =>
      `going on: ${e.openSessions} open sessions, ${e.unfinishedSessions} being shipped, ${e.unfinishedFiles} files to send`,
  ],
  'journal.trouble': [
    'error',
    (e) =>
      `the state directory ${e.state} cannot be used, ${e.code}: ${e.cause}: ${e.remedy}; what is unsent waits, trying again in ${seconds(e.probeInMs)}`,
  ],
  'journal.usable': [
    'info',
    (e) => `the state directory ${e.state} works again after ${seconds(e.forMs)}: going on`,
  ],
  'journal.damaged': [
    'warn',
    (e) =>
      `the journal in ${e.state} is damaged (${e.cause}) and set aside as ${e.file}; a new one is begun from what is in the folder and in the bucket, nothing is sent again that is there`,
  ],
  'claims.kept': [
    'warn',
    (e) =>
      `${e.files} files whose owners deleted them before they were sent are kept in ${e.directory} for ${keptDays} days${e.sessions.length > 0 ? ` (of sessions ${e.sessions.join(', ')})` : ''}: ${e.because}; move what is needed into a session`,
  ],
  'claims.dropped': [
    'warn',
    (e) => `${e.directory} is removed with the ${e.files} files in it: ${e.because}`,
  ],
  'credentials.changed': [
    'info',
    (e) =>
      `new credentials from ${e.source}${e.expiresAt === undefined ? '' : `, valid until ${e.expiresAt}`}`,
  ],
  'credentials.problem': [
    'warn',
    (e) =>
      `credentials of ${e.source} could not be renewed, the old ones still serve: ${e.cause}: ${e.remedy}`,
  ],
  'clock.skewed': [
    'warn',
    (e) =>
      `the clock of this host is ${seconds(Math.abs(e.offsetMs))} ${e.offsetMs > 0 ? 'behind' : 'ahead of'} the server's: requests are signed with the server's time; set the clock, best by NTP`,
  ],
  'clock.right': ['info', () => "the clock of this host agrees with the server's again"],
  'http.listening': ['info', (e) => `status page, health and metrics: ${e.url}`],
  'http.unavailable': [
    'warn',
    (e) =>
      `health, metrics and the status page cannot be served on ${e.address}, ${e.code}: ${e.remedy}; trying again in ${seconds(e.retryInMs)}, shipping goes on`,
  ],
  'http.failed': ['warn', (e) => `${e.target} could not be shown: ${e.cause}`],
  'report.ok': ['debug', () => 'report: all is well'],
  'report.recovered': ['info', () => 'report: all is well again'],
  'report.warning': ['warn', (e) => `report: ${findings(e)}`],
  'report.critical': ['error', (e) => `report: ${findings(e)}`],
  'report.unchanged': ['debug', (e) => `report: as before, ${e.verdict}: ${findings(e)}`],
  'report.failed': ['warn', (e) => `${e.cause}; trainlogd report makes one, trainlogd doctor looks closer`],
  'queue.stuck': [
    'error',
    (e) =>
      `nothing has moved for ${seconds(e.forMs)} though sessions are under way and nothing blocks them: no more signs of life for systemd, which restarts the service within ${seconds(e.watchdogMs)}; what is unsent goes on then`,
  ],
  'service.failed': ['error', (e) => `the ${e.service} failed: ${e.cause}`],
};

function findings({ findings: all, more }: EventMap['report.warning']): string {
  const said = all.map(({ code, finding, remedy }) => {
    return `${finding} (${code})${remedy === undefined ? '' : `: ${remedy}`}`;
  });
  return [...said, ...(more > 0 ? [`and ${more} more findings`] : [])].join('; also ');
}

function seconds(ms: number): string {
  return ms >= 10_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 1000).toFixed(1)} s`;
}
