import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ExecFlags } from './exec.ts';
import type { GlobalFlags } from './inputs.ts';
import { duration, durationText, flagsOf, type Register, sessionId } from './register.ts';
import type { RunFlags } from './run.ts';

const execHelp = `
What is behind -- runs as a training session. Its output reaches the terminal and stdout.log and stderr.log; session.json
says what ran (secrets taken out), result.json how it ended. The exit code is the command's own, and so is the signal that
ends it; 127: there is no such command, 126: it cannot be run. With RANK, SLURM_PROCID or OMPI_COMM_WORLD_RANK above 0
only ranks/<n>.log is written. What cannot be written or shipped is said, and never stops the command.

Examples:
  trainlogd exec -- python train.py --epochs 3
  trainlogd exec --dir outputs/run-7 -- accelerate launch train.py --output_dir outputs/run-7
  srun trainlogd exec -- bash -c 'python train.py --output "$TRAINLOGD_SESSION_DIR"'
  trainlogd exec --no-capture -- python -m pdb train.py
`;

/** What sees to it that sessions get there. */
export function registerShipping({ edge, program, command, give }: Register): void {
  command('run [dir]', 'watch DIR and ship each session when it has ended; in the foreground, until a signal')
    .option(
      '--exit-when-done [idle]',
      'end once a session was seen, none is open, and all is shipped',
      durationText,
    )
    .action(async (dir: string | undefined, _, self: Command) => {
      const { run } = await import('./run.ts');
      give(await run(edge, flagsOf<RunFlags>(self), dir));
    });
  command('drain [dir]', 'ship all that is there now, then stop')
    .option(
      '--timeout <duration>',
      'give up after this long; what is left goes on at the next start',
      duration,
      300_000,
    )
    .option('--final', 'the host is going: sessions without an end are interrupted, not stalled')
    .action(async (dir: string | undefined, _, self: Command) => {
      const { drain } = await import('./drain.ts');
      const { timeout, ...flags } = flagsOf<GlobalFlags & { timeout: number; final?: boolean }>(self);
      give(await drain(edge, { ...flags, timeoutMs: timeout }, dir));
    });
  command('plan [dir]', 'show what would be shipped and under which keys; sends nothing').action(
    async (dir: string | undefined, _, self: Command) => {
      const { plan } = await import('./plan.ts');
      give(await plan(edge, flagsOf(self), dir));
    },
  );
  command(
    'backfill [dir]',
    'ship the sessions that were too old at the first start (watch.ignoreOlderThan)',
  ).action(async (dir: string | undefined, _, self: Command) => {
    const { backfill } = await import('./drain.ts');
    give(await backfill(edge, flagsOf(self), dir));
  });
  command('exec', 'run a command as a session: trainlogd exec -- python train.py')
    .usage('[options] -- CMD...')
    .argument('<cmd...>', 'the command with its arguments')
    .option('--dir <dir>', 'its own output directory; without: a new one in the watched folder')
    .option('--id <id>', 'id of the session, and the name of its directory in the watched folder', sessionId)
    .option('--user <name>', 'who trains; without: the user that runs it')
    .option('--no-ship', 'ship nothing: leave that to a daemon, or to later')
    .option('--no-capture', 'leave the terminal to the command: no stdout.log and stderr.log')
    .addHelpText('after', execHelp)
    .showHelpAfterError(
      '(the command stands behind --: trainlogd exec -- python train.py; trainlogd --help says more)',
    )
    .action(async (words: string[], _, self: Command) => {
      const { exec } = await import('./exec.ts');
      give(await exec(edge, flagsOf<ExecFlags>(self), words));
    });
  // What `exec` starts; nothing for people.
  program
    .command('exec-ship <folder> <root> <state>', { hidden: true })
    .exitOverride()
    .action(async (folder: string, root: string, state: string, _, self: Command) => {
      const { execShip } = await import('./exec-ship.ts');
      give(await execShip(edge, flagsOf(self), { folder, root, state }));
    });
  // In place of a process that cannot end; nothing for people.
  program
    .command('end <code>', { hidden: true })
    .exitOverride()
    .action((code: string) => give(Number(code)));
  // What asks whether a place answers, where there is no shell; nothing for people.
  program
    .command('go-to <path>', { hidden: true })
    .exitOverride()
    .action(async (path: string) => {
      await stat(path).catch(() => undefined); // reason: that it is not there is an answer
    });
  command('recover', 'complete the files of a session whose host is lost from what is in the bucket')
    .argument('<id>', 'id of the session', sessionId)
    .action(async (id: string, _, self: Command) => {
      const { recover } = await import('./recover.ts');
      give(await recover(edge, flagsOf(self), id));
    });
}
