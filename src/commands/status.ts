import { askStatus } from '../adapters/ask-agent.ts';
import { loadConfig } from '../config/load.ts';
import type { Status } from '../ports/status.ts';
import { type Edge, exitCode } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { oneLine } from './one-line.ts';
import { checkStatus } from './status-check.ts';
import { readStatus } from './status-without-agent.ts';

/** `trainlogd status`: asks the daemon; when none runs, reads the journal that it left. */
export async function status(edge: Edge, flags: GlobalFlags & { check?: boolean }): Promise<number> {
  if (flags.check) return await checkStatus(edge, flags);
  const { config } = loadConfig(loadInputs(edge, flags));
  const found = (await askStatus(config.state.directory)) ?? (await readStatus(config));
  edge.stdout(flags.json ? `${JSON.stringify(found, null, 2)}\n` : statusText(found));
  return exitCode.ok;
}

/** How many items of a kind are named; `--json` names more. */
const namedMax = 20;

function statusText(status: Status): string {
  const { backlog, blocked, trouble } = status;
  const lines = [
    status.running
      ? `trainlogd ${status.program} runs as process ${status.pid} on ${status.host}`
      : `no trainlogd runs for ${status.state} on ${status.host}`,
    `  folder       ${status.folder}${status.folderState === undefined ? '' : ` (${status.folderState})`}`,
    `  destination  ${status.destination}${blocked ? ', blocked' : ''}`,
    `  sessions     ${backlog.shipped} shipped, ${backlog.shipping} being shipped, ${backlog.open} open, ${backlog.skipped} left to backfill`,
    `  to send      ${counted(backlog.pendingFiles, 'file')}, ${humanBytes(backlog.pendingBytes)}`,
  ];
  lines.push(...partsLines(status), ...accessLines(status));
  if (trouble)
    lines.push(
      '',
      `waiting for the state directory for ${Math.round(trouble.sinceMs / 1000)} s, ${trouble.code}: ${trouble.cause}`,
      `  ${trouble.remedy}`,
    );
  if (blocked)
    lines.push(
      '',
      `blocked for ${Math.round(blocked.sinceMs / 1000)} s, ${blocked.code}: ${blocked.cause}`,
      `  ${blocked.remedy}`,
    );
  lines.push(
    ...section(
      'being sent',
      status.uploads.map(
        (u) => `${u.session}: ${u.path}: ${humanBytes(u.sentBytes)} of ${humanBytes(u.sizeBytes)}`,
      ),
    ),
  );
  lines.push(
    ...section(
      'need you',
      backlog.parked.flatMap((p) => [`${p.session}: ${p.path}: ${p.code}: ${p.cause}`, `  ${p.remedy}`]),
    ),
  );
  lines.push(
    ...section(
      'shipped by other hosts',
      (status.elsewhere ?? []).map(({ session, host }) => `${session}: held by ${host}`),
    ),
  );
  lines.push(
    ...section(
      'in no session, not shipped',
      status.loose.map((path) => JSON.stringify(path)),
    ),
  );
  return `${lines.join('\n')}\n`;
}

function partsLines({ parts, throttled }: Status): string[] {
  const lines: string[] = [];
  if (parts && parts.open > 0)
    lines.push(
      `  in parts     ${counted(parts.open, 'upload')} under way, ${humanBytes(parts.openBytes)} there already`,
    );
  if (parts && parts.abandoned > 0)
    lines.push(
      `  given up     ${counted(parts.abandoned, 'upload')}, ${humanBytes(parts.abandonedBytes)}, until the bucket frees them`,
    );
  if (throttled)
    lines.push(
      `  throttled    ${throttled.requests} of ${counted(throttled.of, 'request')} at once: the destination asks for fewer`,
    );
  return lines;
}

function accessLines({ credentials, clockBehindMs = 0 }: Status): string[] {
  const lines: string[] = [];
  if (credentials) {
    const { source, expiresAt, problem } = credentials;
    lines.push(`  credentials  ${source}${expiresAt === undefined ? '' : `, until ${expiresAt}`}`);
    if (problem !== undefined) lines.push(`               not renewed: ${oneLine(problem)}`);
  }
  if (clockBehindMs !== 0) {
    const seconds = Math.round(Math.abs(clockBehindMs) / 1000);
    const side = clockBehindMs > 0 ? 'behind' : 'ahead of';
    lines.push(
      `  clock        ${seconds} s ${side} the server's, corrected for requests: set it, best by NTP`,
    );
  }
  return lines;
}

function section(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > namedMax ? [`  and ${items.length - namedMax} more`] : [];
  return ['', `${title}:`, ...items.slice(0, namedMax).map((item) => `  ${oneLine(item)}`), ...more];
}
