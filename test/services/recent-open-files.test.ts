import { describe, expect, test } from 'vitest';
import { withRecentOpenFiles } from '../../src/services/recent-open-files.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeProcesses } from '../fakes/fake-processes.ts';

function machine() {
  const clock = new FakeClock();
  const processes = new FakeProcesses();
  processes.openFiles.add('1:10');
  return { clock, processes, table: withRecentOpenFiles(processes, clock) };
}

describe('open files that many sessions ask for', () => {
  test('are looked at once a second, whoever asks for which', async () => {
    const { clock, processes, table } = machine();
    expect(await table.heldOpen(new Set(['1:10', '1:11']))).toEqual(new Set(['1:10']));
    expect(await table.heldOpen(new Set(['1:12']))).toEqual(new Set());
    expect(processes.looks).toBe(1);
    processes.openFiles.add('1:12');
    await clock.advance(999);
    expect(await table.heldOpen(new Set(['1:12']))).toEqual(new Set());
    await clock.advance(1);
    expect(await table.heldOpen(new Set(['1:12']))).toEqual(new Set(['1:12']));
    expect(processes.looks).toBe(2);
  });

  test('are looked at the more rarely the longer a look takes, and never more rarely than once a minute', async () => {
    const { clock, processes, table } = machine();
    const slow = processes.allHeldOpen.bind(processes);
    processes.allHeldOpen = async (max) => {
      await clock.sleep(500);
      return await slow(max);
    };
    const first = table.heldOpen(new Set(['1:10']));
    await clock.advance(500);
    await first;
    await clock.advance(9_499);
    await table.heldOpen(new Set(['1:10']));
    expect(processes.looks).toBe(1);
    await clock.advance(1);
    const second = table.heldOpen(new Set(['1:10']));
    await clock.advance(500);
    await second;
    expect(processes.looks).toBe(2);
  });

  test('are asked for one by one where there are too many to remember', async () => {
    const { processes, table } = machine();
    for (let inode = 0; inode < 50_001; inode++) processes.openFiles.add(`2:${inode}`);
    expect(await table.heldOpen(new Set(['1:10', '1:11']))).toEqual(new Set(['1:10']));
  });
});
