import { expect, test } from 'vitest';
import type { FileSource } from '../../src/ports/file-source.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { PartStore } from '../../src/ports/part-store.ts';
import { dieAt, Killed } from '../support/killed.ts';
import { type StartOptions, World } from '../support/services.ts';

const log = 'training-logs/2026/01/a.log';
const small = 'training-logs/companions/2026/01/a/small.txt';
const large = 'training-logs/companions/2026/01/a/large.txt';
/** Versions of each object when nobody was killed: the log is written as a first one and as the final one. */
const undisturbed = { [log]: 2, [small]: 1, [large]: 1 };

function finishedSession(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/small.txt', 'small');
  world.folder.write('a/large.txt', 'large'.repeat(100));
  world.folder.write('a/result.json', '{"status":"completed"}');
  return world;
}

function versions(world: World): Record<string, number> {
  return Object.fromEntries(world.store.keys().map((key) => [key, world.store.versions(key).length]));
}

interface Row {
  readonly killed: string;
  readonly first: StartOptions;
  readonly next?: StartOptions;
}

const journalDies = (name: keyof Journal, moment: 'before' | 'after', nth?: number): StartOptions => ({
  journal: dieAt<Journal>(name, moment, nth),
});

const rows: Row[] = [
  { killed: 'while assembling', first: { source: dieAt<FileSource>('claim', 'before', 2) } },
  { killed: 'before the journal transaction', first: journalDies('enqueue', 'before') },
  { killed: 'after the journal transaction', first: journalDies('enqueue', 'after') },
  {
    killed: 'after the first log was put, before it was recorded',
    first: journalDies('recordLog', 'before'),
  },
  { killed: 'after the first log was recorded', first: journalDies('recordLog', 'after') },
  {
    killed: 'after an object is there, before its receipt',
    first: journalDies('recordUploaded', 'before'),
  },
  {
    killed: 'after the receipt, before the claim is let go',
    first: { source: dieAt<FileSource>('releaseClaim', 'before') },
  },
  {
    killed: 'after the claim was let go, before that was recorded',
    first: journalDies('recordReleased', 'before'),
  },
  { killed: 'between two files', first: journalDies('recordReleased', 'after') },
  { killed: 'after the last receipt', first: journalDies('recordReleased', 'after', 2) },
  {
    killed: 'after the final log was put, before it was recorded',
    first: journalDies('recordLog', 'before', 2),
  },
  { killed: 'after the final log was recorded', first: journalDies('finish', 'before') },
  { killed: 'after all was done', first: journalDies('finish', 'after') },
  {
    killed: 'with its journal, after the first log',
    first: journalDies('recordLog', 'after'),
    next: { lost: true },
  },
  {
    killed: 'with its journal, between two files',
    first: journalDies('recordReleased', 'after'),
    next: { lost: true },
  },
  {
    killed: 'with its journal, after all was done',
    first: journalDies('finish', 'after'),
    next: { lost: true },
  },
];

for (const row of rows) {
  test(`killed ${row.killed}: the next start ends with the same objects, none written twice`, async () => {
    const world = finishedSession();
    await expect(world.start({ concurrency: 1, ...row.first }).deliver()).rejects.toThrow(Killed);
    const before = versions(world);
    const agent = world.start({ concurrency: 1, ...row.next });
    await agent.deliver();
    await world.clock.advance(600_000);
    await agent.deliver();
    expect(world.store.text(small)).toBe('small');
    expect(world.store.text(large)).toBe('large'.repeat(100));
    expect(world.log()).toMatchObject({
      session: { id: 'a', status: 'completed', revision: 2 },
      missing: [],
    });
    expect(world.log().companions.map(({ path }) => path)).toEqual(['large.txt', 'small.txt']);
    expect(versions(world), JSON.stringify(before)).toEqual(undisturbed);
    expect(agent.journal.hasUnfinished('/watched')).toBe(false);
    expect(world.folder.openFiles).toBe(0);
  });
}

/** `large.txt` goes up in five parts of a hundred bytes. */
const partsOfLarge = 5;
const storeDies = (
  operation: 'begin' | 'send' | 'complete',
  moment: 'before' | 'after',
  nth = 1,
): StartOptions => ({
  store: (store) => ({
    ...bound(store),
    parts: store.parts && dieAtRequest(store.parts, operation, moment, nth),
  }),
});

interface PartRow extends Row {
  /** Parts that are sent again. */
  readonly again: number;
  /** Uploads that nobody knows of any more: only the bucket's lifecycle can free them. */
  readonly unknown?: number;
}

const partRows: PartRow[] = [
  { killed: 'before Create', first: storeDies('begin', 'before'), again: 0 },
  {
    killed: 'after Create, before the journal',
    first: journalDies('beginUpload', 'before'),
    again: 0,
    unknown: 1,
  },
  {
    killed: 'after the upload was recorded, before its first part',
    first: storeDies('send', 'before'),
    again: 0,
  },
  { killed: 'after a part arrived, before it was recorded', first: storeDies('send', 'after', 3), again: 1 },
  { killed: 'between two parts', first: journalDies('recordPart', 'after', 3), again: 0 },
  { killed: 'before Complete', first: storeDies('complete', 'before'), again: 0 },
  { killed: 'after Complete, before its answer', first: storeDies('complete', 'after'), again: 0 },
  {
    killed: 'after Complete, before the receipt',
    first: journalDies('recordUploaded', 'before', 2),
    again: 0,
  },
  {
    killed: 'with its journal, between two parts',
    first: journalDies('recordPart', 'after', 3),
    next: { lost: true },
    again: 3,
    unknown: 1,
  },
];

for (const row of partRows) {
  test(`killed ${row.killed}: the next start goes on there, and sends at most what was in flight again`, async () => {
    const world = finishedSession({ parts: { firstBytes: 100 } });
    await expect(world.start({ concurrency: 1, ...row.first }).deliver()).rejects.toThrow(Killed);
    const agent = world.start({ concurrency: 1, ...row.next });
    await agent.deliver();
    await world.clock.advance(600_000);
    await agent.deliver();
    expect(world.store.text(large)).toBe('large'.repeat(100));
    expect(world.log()).toMatchObject({ session: { status: 'completed' }, missing: [] });
    expect(versions(world)).toEqual(undisturbed);
    const sent = world.store.calls.filter((call) => call === `sendPart ${large}`);
    expect(sent).toHaveLength(partsOfLarge + row.again);
    expect(world.store.openUploads()).toHaveLength(row.unknown ?? 0);
    expect(agent.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 0 });
    expect(world.events.of('upload.restarted')).toEqual([]);
    expect(world.folder.openFiles).toBe(0);
  });
}

/** The process dies as it makes the `nth` such request, before it arrives or before its answer does. */
function dieAtRequest(
  parts: PartStore,
  operation: 'begin' | 'send' | 'complete',
  moment: 'before' | 'after',
  nth: number,
): PartStore {
  let calls = 0;
  return new Proxy(parts, {
    get(of, property) {
      const method: unknown = Reflect.get(of, property, of);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        const dies = property === operation && ++calls === nth;
        if (dies && moment === 'before') throw new Killed(`at ${operation}`);
        const answer: unknown = await method.apply(of, args);
        if (dies) throw new Killed(`at ${operation}`);
        return answer;
      };
    },
  });
}

/** The same store as a plain object, of which a test can replace a part. */
function bound(store: ObjectStore): ObjectStore {
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: (key, signal) => store.find(key, signal),
    get: (key, bytesMax, signal) => store.get(key, bytesMax, signal),
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: (request, signal) => store.put(request, signal),
    parts: store.parts,
    close: () => store.close(),
  };
}
