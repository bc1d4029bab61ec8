import { expect, test } from 'vitest';
import type { FileSource } from '../../src/ports/file-source.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { type StartOptions, World } from '../support/services.ts';

class Killed extends Error {}

/** The process dies as it comes to `method` for the `nth` time, before or after it was done. */
function dieAt<T extends object>(name: keyof T, moment: 'before' | 'after', nth = 1): (target: T) => T {
  let calls = 0;
  return (target) =>
    new Proxy(target, {
      get(of, property, receiver) {
        const method: unknown = Reflect.get(of, property, of);
        if (property !== name || typeof method !== 'function') {
          return typeof method === 'function' ? method.bind(of) : Reflect.get(of, property, receiver);
        }
        return (...args: unknown[]) => {
          calls += 1;
          if (calls !== nth) return method.apply(of, args);
          if (moment === 'after') method.apply(of, args);
          throw new Killed(`at ${String(name)}`);
        };
      },
    });
}

const log = 'training-logs/2026/01/a.log';
const small = 'training-logs/companions/2026/01/a/small.txt';
const large = 'training-logs/companions/2026/01/a/large.txt';
/** Versions of each object when nobody was killed: the log is written as a first one and as the final one. */
const undisturbed = { [log]: 2, [small]: 1, [large]: 1 };

function finishedSession(): World {
  const world = new World();
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
