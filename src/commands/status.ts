import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openJournalFile } from '../adapters/journal-file.ts';
import { createSqliteJournal } from '../adapters/sqlite-journal.ts';
import { askStatus } from '../adapters/status-socket.ts';
import { createStore, realFolder } from '../compose-parts.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Status } from '../ports/status.ts';
import { type Edge, exitCode } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { oneLine } from './one-line.ts';
import { programVersion } from './version.ts';

/** `trainlogd status`: asks the daemon; when none runs, reads the journal that it left. */
export async function status(edge: Edge, flags: GlobalFlags): Promise<number> {
  const { config } = loadConfig(loadInputs(edge, flags));
  const found = (await askStatus(config.state.directory)) ?? (await readJournal(config));
  edge.stdout(flags.json ? `${JSON.stringify(found, null, 2)}\n` : statusText(found));
  return exitCode.ok;
}

async function readJournal(config: Config): Promise<Status> {
  const host = hostname();
  const folder = realFolder(config.watch.directory);
  const store = createStore(config);
  const destination = store.name;
  await store.close();
  const common = {
    version: 1,
    running: false,
    host,
    program: programVersion(),
    folder,
    destination,
    state: config.state.directory,
    uploads: [],
    loose: [],
  } as const;
  if (!existsSync(join(config.state.directory, 'journal.sqlite'))) return { ...common, backlog: nothing };
  const journal = createSqliteJournal(openJournalFile(config.state.directory, undefined));
  try {
    return { ...common, backlog: journal.backlog(folder) };
  } finally {
    journal.close();
  }
}

const nothing: Status['backlog'] = {
  open: 0,
  shipping: 0,
  shipped: 0,
  skipped: 0,
  pendingFiles: 0,
  pendingBytes: 0,
  oldestPendingFoundAtMs: undefined,
  unsent: [],
  parked: [],
};

/** How many items of a kind are named; `--json` names more. */
const namedMax = 20;

function statusText(status: Status): string {
  const { backlog, blocked } = status;
  const lines = [
    status.running
      ? `trainlogd ${status.program} runs as process ${status.pid} on ${status.host}`
      : `no trainlogd runs for ${status.state} on ${status.host}`,
    `  folder       ${status.folder}${status.folderState === undefined ? '' : ` (${status.folderState})`}`,
    `  destination  ${status.destination}${blocked ? ', blocked' : ''}`,
    `  sessions     ${backlog.shipped} shipped, ${backlog.shipping} being shipped, ${backlog.open} open, ${backlog.skipped} left to backfill`,
    `  to send      ${counted(backlog.pendingFiles, 'file')}, ${humanBytes(backlog.pendingBytes)}`,
  ];
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
      'in no session, not shipped',
      status.loose.map((path) => JSON.stringify(path)),
    ),
  );
  return `${lines.join('\n')}\n`;
}

function section(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > namedMax ? [`  and ${items.length - namedMax} more`] : [];
  return ['', `${title}:`, ...items.slice(0, namedMax).map((item) => `  ${oneLine(item)}`), ...more];
}
