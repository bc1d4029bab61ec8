import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openJournalFile } from '../../src/adapters/journal-file.ts';
import { journalVersion } from '../../src/adapters/journal-schema.ts';
import { StateError } from '../../src/adapters/journal-trouble.ts';
import { createSqliteJournal } from '../../src/adapters/sqlite-journal.ts';
import { sessionPage } from '../../src/http/session-page.ts';
import type { SessionView } from '../../src/ports/session-views.ts';
import { companion, folder, holder, identityOf, newSession, workOf } from '../support/journal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const adapters = new URL('../../src/adapters/', import.meta.url).href;
const builders = new URL('../support/journal.ts', import.meta.url).href;

/** The arguments of a process of its own, with `open` for the journal in the given state directory. */
function program(state: string, body: string): string[] {
  const text = `
    import { writeSync } from 'node:fs';
    import { openJournalFile } from '${adapters}journal-file.ts';
    import { createSqliteJournal } from '${adapters}sqlite-journal.ts';
    import { companion, holder, identityOf, newSession, workOf } from '${builders}';
    const say = (line) => writeSync(1, line + '\\n');
    const open = () => createSqliteJournal(openJournalFile(${JSON.stringify(state)}, { ...holder, pid: process.pid }));
    ${body}`;
  return ['--input-type=module', '-e', text];
}

function run(state: string, body: string): ChildProcess {
  const child = spawn(process.execPath, program(state, body), { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (!child.stdout) throw new Error('the child has no stdout');
  yield* createInterface({ input: child.stdout });
}

function refusal(state: string): StateError {
  try {
    openJournalFile(state, holder).close();
  } catch (error) {
    if (error instanceof StateError) return error;
    throw error;
  }
  throw new Error('expected a StateError, the journal was opened');
}

test('who opens it leaves a note of its own: one of another user is not written into', async () => {
  const state = await temporaryDirectory();
  await writeFile(join(state, 'theirs'), 'of root');
  await link(join(state, 'theirs'), join(state, 'holder.json'));
  openJournalFile(state, holder).close();
  expect(await readFile(join(state, 'theirs'), 'utf8')).toBe('of root');
  expect(JSON.parse(await readFile(join(state, 'holder.json'), 'utf8'))).toEqual(holder);
});

const withoutEndTold = 'DROP INDEX sessions_corrected; ALTER TABLE sessions DROP COLUMN end_told';

describe('a journal file', () => {
  test('is made with its directory, for its owner alone', async () => {
    const state = join(await temporaryDirectory(), 'a', 'b');
    openJournalFile(state, holder).close();
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(join(state, 'holder.json'), 'utf8'))).toEqual(holder);
  });

  test('survives a power cut after every commit: WAL, each one synced', async () => {
    const database = openJournalFile(await temporaryDirectory(), holder);
    onTestFinished(() => database.close());
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(database.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
  });

  test('keeps what was promised before SIGKILL, and of each transition all or nothing', async () => {
    const state = await temporaryDirectory();
    const child = run(
      state,
      `const journal = open();
       for (let n = 0; ; n++) {
         const { sid } = journal.begin(newSession('run-' + n));
         journal.freeze(sid, identityOf('run-' + n));
         journal.enqueue(sid, workOf([companion('a'), companion('b')]));
         if (n % 3 === 0) {
           await journal.synced();
           say(String(n));
         }
       }`,
    );
    let promised = -1;
    for await (const line of linesOf(child)) {
      promised = Number(line);
      if (promised === 42) child.kill('SIGKILL');
    }
    const journal = createSqliteJournal(openJournalFile(state, holder));
    onTestFinished(() => journal.close());
    const sessions = journal.sessions(folder);
    expect(promised).toBeGreaterThanOrEqual(42);
    expect(sessions.length).toBeGreaterThan(promised);
    for (const { sid, phase, root } of sessions) {
      const isQueued = phase === 'shipping';
      if (Number(root.slice(4)) <= promised) expect(isQueued, root).toBe(true);
      expect(journal.files(sid).length, root).toBe(isQueued ? 2 : 0);
    }
  });

  test('is held by one process, which is named to the next, and free once that one was killed', async () => {
    const state = await temporaryDirectory();
    const child = run(state, `open(); say('held'); setInterval(() => {}, 1000);`);
    for await (const line of linesOf(child)) {
      expect(line).toBe('held');
      break;
    }
    const { message } = refusal(state);
    expect(message).toContain(JSON.stringify(join(state, 'journal.sqlite')));
    expect(message).toContain(
      `process ${child.pid} on node-1, watching "${folder}" since ${holder.startedAt}`,
    );
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
    openJournalFile(state, holder).close();
  });

  test('is held against a second opening in the same process, whatever holder.json says', async () => {
    const state = await temporaryDirectory();
    const database = openJournalFile(state, holder);
    onTestFinished(() => database.close());
    await writeFile(join(state, 'holder.json'), '{"pid"');
    expect(refusal(state).message).toContain('another trainlogd holds it');
  });

  test('from a newer program is refused, both versions named, and left as it is', async () => {
    const state = await temporaryDirectory();
    const newer = new DatabaseSync(join(state, 'journal.sqlite'));
    newer.exec(`PRAGMA user_version = ${journalVersion + 41}`);
    newer.close();
    const before = await readFile(join(state, 'journal.sqlite'));
    const { message } = refusal(state);
    expect(message).toContain(`version ${journalVersion + 41}`);
    expect(message).toContain(`knows up to ${journalVersion}`);
    const again = new DatabaseSync(join(state, 'journal.sqlite'));
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: journalVersion + 41 });
    expect(again.prepare('SELECT COUNT(*) AS tables FROM sqlite_schema').get()).toEqual({ tables: 0 });
    again.close();
    expect(before.length).toBeGreaterThan(0);
  });

  test('of version 0 is brought up to date, once', async () => {
    const state = await temporaryDirectory();
    await writeFile(join(state, 'journal.sqlite'), '');
    const first = openJournalFile(state, holder);
    expect(first.prepare('PRAGMA user_version').get()).toEqual({ user_version: journalVersion });
    const once = createSqliteJournal(first);
    const { sid } = once.begin(newSession('a'));
    once.close();
    const journal = createSqliteJournal(openJournalFile(state, holder));
    expect(journal.sessions(folder).map((session) => session.sid)).toEqual([sid]);
    journal.close();
  });

  test('from before uploads had tokens keeps them, and goes on with them', async () => {
    const state = await temporaryDirectory();
    const old = openJournalFile(state, holder);
    const before = createSqliteJournal(old);
    const { sid } = before.begin(newSession('a'));
    const layout = { firstBytes: 100, doublesEvery: 900 };
    const upload = { key: 'k', uploadId: 'u', checksum: 'md5', layout, file: 'f', beganAtMs: 1 } as const;
    before.beginUpload(sid, 'x', upload);
    before.close();
    const database = new DatabaseSync(join(state, 'journal.sqlite'));
    database.exec(
      `${withoutEndTold}; DROP TABLE views; DROP INDEX sessions_recent; DROP INDEX sessions_here`,
    );
    database.exec('DROP INDEX uploads_named; ALTER TABLE uploads DROP COLUMN record_void');
    database.exec('ALTER TABLE uploads DROP COLUMN token; PRAGMA user_version = 2');
    database.close();
    const journal = createSqliteJournal(openJournalFile(state, holder));
    onTestFinished(() => journal.close());
    expect(journal.openUpload(sid, 'x')).toEqual({ ...upload, path: 'x', parts: [], resume: undefined });
    journal.beginUpload(sid, 'y', { ...upload, token: 't' });
    expect(journal.openUpload(sid, 'y')?.token).toBe('t');
  });

  test('from before corrections owes one to what has ended and is open again', async () => {
    const state = await temporaryDirectory();
    const before = createSqliteJournal(openJournalFile(state, holder));
    const sids = ['reopened', 'open'].map((root) => before.begin(newSession(root)).sid);
    before.enqueue(sids[0] ?? 0, workOf([]));
    for (const sid of sids) before.setPhase(sid, 'open');
    before.close();
    const database = new DatabaseSync(join(state, 'journal.sqlite'));
    database.exec(`${withoutEndTold}; PRAGMA user_version = 5`);
    database.close();
    const journal = createSqliteJournal(openJournalFile(state, holder));
    onTestFinished(() => journal.close());
    expect(sids.map((sid) => journal.session(sid)?.endTold)).toEqual([true, false]);
  });

  test('from before views shows its sessions all the same, and says more with their next log', async () => {
    const state = await temporaryDirectory();
    const before = createSqliteJournal(openJournalFile(state, holder));
    const { sid } = before.begin(newSession('a'));
    before.freeze(sid, identityOf('a'));
    before.enqueue(sid, workOf([companion('x')]));
    before.close();
    const database = new DatabaseSync(join(state, 'journal.sqlite'));
    database.exec(
      `${withoutEndTold}; DROP TABLE views; DROP INDEX sessions_recent; DROP INDEX sessions_here; PRAGMA user_version = 4`,
    );
    database.close();
    const journal = createSqliteJournal(openJournalFile(state, holder));
    onTestFinished(() => journal.close());
    const [recent] = journal.recentSessions(folder, 0, 10);
    expect(recent).toMatchObject({ id: 'a', status: 'completed' });
    expect(recent).not.toHaveProperty('brief');
    const view = journal.sessionView(folder, 'a');
    expect(view).toMatchObject({ files: [{ path: 'x', state: 'pending' }] });
    const page = sessionPage({ view: view as SessionView, host: 'h', version: '1', nowMs: 0 });
    expect(page).toContain('<code>trainlogd show a</code>');
    journal.enqueue(sid, workOf([companion('x')]));
    expect(journal.sessionView(folder, 'a')).toMatchObject({ brief: { name: 'run' }, detail: {} });
  });

  test.each([
    ['is no database', 'this was never a journal, but some notes\n'.repeat(200)],
    ['has lost its first page', `${'\0'.repeat(100)}${'x'.repeat(8000)}`],
  ])('that %s is refused with the way out, and left as it is', async (_, content) => {
    const state = await temporaryDirectory();
    const file = join(state, 'journal.sqlite');
    await writeFile(file, content);
    expect(refusal(state).message).toMatch(/it is damaged .*the next run or drain sets the file aside/);
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  test('where a file is in the way of the state directory is refused, the directory named', async () => {
    const state = join(await temporaryDirectory(), 'state');
    await writeFile(state, '');
    expect(refusal(state).message).toContain(`make ${JSON.stringify(state)} a directory`);
  });

  test.for(['fresh', 'with a journal'])(
    'in a state directory that is read-only, %s, is refused',
    async (kind, { skip }) => {
      const state = join(await temporaryDirectory(), 'state');
      await mkdir(state);
      if (kind !== 'fresh') openJournalFile(state, holder).close();
      await chmod(join(state, '..'), 0o755);
      await chmod(state, 0o555);
      if (kind !== 'fresh') await chmod(join(state, 'journal.sqlite'), 0o444);
      // Root may write anywhere: as root somebody else has to try.
      const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const script = program(
        state,
        `try { open(); say('opened'); } catch (error) { say(error.name + ': ' + error.message); }`,
      );
      const ran = spawnSync(process.execPath, script, { encoding: 'utf8', ...nobody });
      if (ran.error || /EACCES|permission denied/i.test(ran.stderr)) {
        skip(
          `another user cannot run the program from here: ${ran.error?.message ?? ran.stderr.slice(0, 200)}`,
        );
      }
      expect(ran.stdout).toMatch(
        /^StateError: opening the journal ".*": .*: make ".*" a directory with free space.*\n$/,
      );
    },
  );
});
