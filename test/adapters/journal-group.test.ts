import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openJournalFile } from '../../src/adapters/journal-file.ts';
import { createSqliteJournal } from '../../src/adapters/sqlite-journal.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { companion, folder, holder, identityOf, newSession, workOf } from '../support/journal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const adapters = new URL('../../src/adapters/', import.meta.url).href;
const builders = new URL('../support/journal.ts', import.meta.url).href;

function begin(journal: Journal, root: string): void {
  const { sid } = journal.begin(newSession(root));
  journal.freeze(sid, identityOf(root));
  journal.enqueue(sid, workOf([companion('x'), companion('y')]));
}

/** The roots that the journal knows, with as many files as each has. */
function held(journal: Journal): Record<string, number> {
  return Object.fromEntries(
    journal.sessions(folder).map(({ root, sid }) => [root, journal.files(sid).length]),
  );
}

function reopened(state: string): Journal {
  const journal = createSqliteJournal(openJournalFile(state, holder));
  onTestFinished(() => journal.close());
  return journal;
}

/**
 * What `body` says, run in a process of its own with a journal, `begin(root)`, and `limit(bytes)`, which bounds the size
 * of the files that the process may write: as good as a full disk, the writes of a commit are refused.
 */
async function inProcess(state: string, body: string): Promise<unknown> {
  const script = `
    import { spawnSync } from 'node:child_process';
    import { statSync } from 'node:fs';
    import { openJournalFile } from '${adapters}journal-file.ts';
    import { journalTrouble } from '${adapters}journal-trouble.ts';
    import { createSqliteJournal } from '${adapters}sqlite-journal.ts';
    import { companion, folder, holder, identityOf, newSession, workOf } from '${builders}';
    const limit = (bytes) => {
      const ran = spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':'], { encoding: 'utf8' });
      if (ran.error ?? ran.status !== 0) throw ran.error ?? new Error(ran.stderr);
    };
    const walBytes = () => statSync(${JSON.stringify(join(state, 'journal.sqlite-wal'))}).size;
    const say = (value) => process.stdout.write(JSON.stringify(value));
    const journal = createSqliteJournal(openJournalFile(${JSON.stringify(state)}, holder));
    const begin = (root) => {
      const { sid } = journal.begin(newSession(root));
      journal.freeze(sid, identityOf(root));
      journal.enqueue(sid, workOf([companion('x'), companion('y')]));
    };
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const said = await text(child.stdout);
  await closed;
  return JSON.parse(said);
}

describe('a group of transitions', () => {
  test('commits without the one that there was no room for', async () => {
    const state = await temporaryDirectory();
    const database = openJournalFile(state, holder);
    const journal = createSqliteJournal(database);
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const accepted: [string, number][] = [];
    expect(() => {
      for (let n = 0; n < 1000; n++) {
        begin(journal, `run-${n}`);
        accepted.push([`run-${n}`, 2]);
      }
    }).toThrow('full');
    expect(accepted.length).toBeGreaterThan(0);
    await journal.synced();
    journal.close();
    expect(held(reopened(state))).toMatchObject(Object.fromEntries(accepted));
  });

  test('whose commit is refused says so to all who wait or ask, and commits when the next use finds room', async () => {
    const state = await temporaryDirectory();
    const said = await inProcess(
      state,
      `begin('first');
       await journal.synced();
       limit(walBytes() + 1);
       begin('second');
       begin('third');
       const codes = [];
       const note = (error) => codes.push(error.code);
       await Promise.all([journal.synced().catch(note), journal.synced().catch(note)]);
       await journal.synced().catch(note);
       try { journal.sessions(folder); } catch (error) { note(error); }
       try { begin('refused'); } catch (error) { note(error); }
       limit('unlimited');
       begin('fourth');
       await journal.synced();
       say({ codes, roots: journal.sessions(folder).map(({ root }) => root) });
       process.kill(process.pid, 'SIGKILL');`,
    );
    const roots = ['first', 'second', 'third', 'fourth'];
    expect(said).toEqual({ codes: Array(5).fill('ERR_SQLITE_ERROR'), roots });
    expect(held(reopened(state))).toEqual(Object.fromEntries(roots.map((root) => [root, 2])));
  });

  test('that cannot be committed at the end is a failure of the end, with the file let go', async () => {
    const state = await temporaryDirectory();
    const said = await inProcess(
      state,
      `begin('first');
       await journal.synced();
       limit(walBytes() + 1);
       begin('second');
       let ended;
       try { journal.close(); } catch (error) { ended = journalTrouble(error); }
       limit('unlimited');
       const again = createSqliteJournal(openJournalFile(${JSON.stringify(state)}, holder));
       say({ ended, roots: again.sessions(folder).map(({ root }) => root) });
       again.close();`,
    );
    expect(said).toEqual({
      ended: expect.objectContaining({ kind: 'disk' }),
      roots: ['first'],
    });
  });
});
