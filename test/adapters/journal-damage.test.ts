import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileFailure } from '../../src/adapters/errno.ts';
import { hasJournalAside, setJournalAside } from '../../src/adapters/journal-aside.ts';
import { journalTrouble, StateError } from '../../src/adapters/journal-trouble.ts';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { probeStateDirectory } from '../../src/adapters/state-probe.ts';
import { companion, folder, holder, identityOf, newSession, workOf } from '../support/journal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function closedJournal(): Promise<{ state: string; file: string }> {
  const state = await temporaryDirectory();
  const journal = openJournal(state, holder);
  const { sid } = journal.begin(newSession('run-1'));
  journal.freeze(sid, identityOf('run-1'));
  journal.enqueue(sid, workOf([companion('x')]));
  journal.close();
  return { state, file: join(state, 'journal.sqlite') };
}

function troubleOf(state: string): string | undefined {
  try {
    openJournal(state).close();
    return undefined;
  } catch (error) {
    if (error instanceof StateError) return error.trouble.kind;
    throw error;
  }
}

/** As somebody else would: no seal is broken, but the time tells. */
function edit(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA writable_schema = ON');
  database.exec(sql);
  database.close();
}

describe('damage in a journal', () => {
  test('is seen in a text that still makes sense, after an orderly end', async () => {
    const { state, file } = await closedJournal();
    const bytes = await readFile(file);
    const { mtimeMs } = await stat(file);
    // The middle of the millisecond that the seal names: utimes() rounds, and a whole one may come out as the one before.
    const sealedAtSeconds = (Math.floor(mtimeMs) + 0.5) / 1000;
    const at = bytes.indexOf('run-1');
    expect(at).toBeGreaterThan(0);
    bytes.write('run-2', at);
    await writeFile(file, bytes);
    await utimes(file, sealedAtSeconds, sealedAtSeconds);
    expect(troubleOf(state)).toBe('damaged');
  });

  test('is not what somebody did by hand', async () => {
    const { state, file } = await closedJournal();
    edit(file, `UPDATE sessions SET failure = NULL, due_at_ms = 5`);
    expect(troubleOf(state)).toBeUndefined();
  });

  test.each([
    ['a word that no column holds', `UPDATE sessions SET phase = 'shippinf'`],
    ['a state that no file has', `UPDATE files SET state = 'pendinf'`],
    ['a table of another shape', `ALTER TABLE files ADD COLUMN more TEXT`],
    ['a table that is not there', `DROP TABLE parts`],
    ['a version from before its tables', `PRAGMA user_version = 0`],
  ])('is %s', async (_, sql) => {
    const { state, file } = await closedJournal();
    edit(file, sql);
    expect(troubleOf(state)).toBe('damaged');
  });

  test.each([
    ['no JSON', `UPDATE sessions SET identity = substr(identity, 2)`],
    ['JSON without a field', `UPDATE sessions SET identity = replace(identity, '"key"', '"kez"')`],
    ['a number that is none', `UPDATE sessions SET found_at_ms = 9223372036854775807`],
  ])('is found in a row that is read: %s', async (_, sql) => {
    const { state, file } = await closedJournal();
    edit(file, sql);
    const journal = openJournal(state, holder);
    onTestFinished(() => journal.close());
    const caught = (() => {
      try {
        return journal.sessions(folder);
      } catch (error) {
        return error;
      }
    })();
    expect(journalTrouble(caught)).toMatchObject({ kind: 'damaged' });
  });

  test('is set aside with its log, and remembered while it lies there', async () => {
    const { state } = await closedJournal();
    expect(hasJournalAside(state)).toBe(false);
    const { file, kept } = setJournalAside(state, Date.UTC(2026, 0, 2, 3, 4, 5, 6));
    expect(file).toBe(join(state, 'journal.sqlite.damaged-20260102T030405006Z'));
    expect(kept).toBeUndefined();
    expect(hasJournalAside(state)).toBe(true);
    expect(troubleOf(state)).toBeUndefined();
  });
});

test.each([
  [13, 'disk'],
  [8, 'disk'],
  [10 | (3 << 8), 'disk'],
  [14, 'disk'],
  [5, 'held'],
  [11, 'damaged'],
  [26, 'damaged'],
  [1, undefined],
  [19 | (8 << 8), undefined],
])('SQLite code %i is trouble of the kind %s, also as a cause', (errcode, kind) => {
  const error = Object.assign(new Error('said by SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });
  expect(journalTrouble(new Error('a pass failed', { cause: error }))?.kind).toBe(kind);
});

test('a state directory is usable when a file can be made durable in it, and the code says why not', async () => {
  const state = await temporaryDirectory();
  expect(probeStateDirectory(join(state, 'new'))).toBeUndefined();
  await writeFile(join(state, 'in-the-way'), '');
  expect(probeStateDirectory(join(state, 'in-the-way'))).toMatch(/^(ENOTDIR|EEXIST)$/);
});

test.each([
  ['EMFILE', 'changing'],
  ['ENFILE', 'changing'],
  ['EIO', 'unreadable'],
  ['ENOENT', 'vanished'],
])('%s on a file means that it is %s', (code, reason) => {
  const failure = fileFailure(Object.assign(new Error(code), { code }), 'opening file "a"', 'a');
  expect(failure).toMatchObject({ reason, code });
  expect(failure.remedy.length).toBeGreaterThan(10);
});
