import type { Command } from 'commander';
import type { GlobalFlags } from './inputs.ts';
import { directory, flagsOf, month, type Register, sessionId } from './register.ts';

/** What reads sessions back, and takes up what was parked. */
export function registerReading({ edge, command, give }: Register): void {
  command('list', 'list the sessions in the bucket')
    .option(
      '--month <month>',
      'those that started in this month, YYYY-MM in UTC; without: the newest ones',
      month,
    )
    .action(async (_, self: Command) => {
      const { list } = await import('./list.ts');
      give(await list(edge, flagsOf<GlobalFlags & { month?: string }>(self)));
    });
  command('show', 'show one session: facts, results, loss curve, files')
    .argument('<id>', 'id of the session', sessionId)
    .action(async (id: string, _, self: Command) => {
      const { show } = await import('./show.ts');
      give(await show(edge, flagsOf(self), id));
    });
  command('get', 'fetch the log and files of a session; goes on where it was interrupted')
    .argument('<id>', 'id of the session', sessionId)
    .argument('[dir]', 'where to; without: a directory named as the session', directory)
    .action(async (id: string, dir: string | undefined, _, self: Command) => {
      const { get } = await import('./get.ts');
      give(await get(edge, flagsOf(self), id, dir));
    });
  command('verify', 'is every object that was shipped in the bucket, unchanged?')
    .option('--month <month>', 'only sessions that started in this month, YYYY-MM in UTC', month)
    .action(async (_, self: Command) => {
      const { verify } = await import('./verify.ts');
      give(await verify(edge, flagsOf<GlobalFlags & { month?: string }>(self)));
    });
  command('retry', 'take up what was parked, once its cause is gone')
    .argument('[id...]', 'ids of sessions', (id: string, before: string[] = []) => [...before, sessionId(id)])
    .option('--all', 'of all sessions')
    .action(async (ids: string[] | undefined, _, self: Command) => {
      const { retry } = await import('./retry.ts');
      give(await retry(edge, flagsOf<GlobalFlags & { all?: boolean }>(self), ids ?? []));
    });
}
