import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { journalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { ConfigError } from '../config/problem.ts';
import { parseDuration } from '../config/units.ts';
import { legalId } from '../domain/session-identity.ts';
import { type Edge, exitCode } from './edge.ts';
import type { ExecFlags } from './exec.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import type { RunFlags } from './run.ts';
import { programVersion } from './version.ts';

const help = `
Exit codes: 0 all is well, 75 something is left to ship (each file is named), 64 usage, 69 destination, 77 permission, 78 configuration, 70 a bug.

The folder, the bucket and all else come from a YAML file (--config, TRAINLOGD_CONFIG, /etc/trainlogd/config.yaml),
from TRAINLOGD_* variables, and from a .env file with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, S3_BUCKET_NAME.

Examples:
  trainlogd plan ./outputs             what would be shipped, and under which keys
  trainlogd run ./outputs              watch a folder until told to stop
  trainlogd drain ./outputs --final    ship all that is there now, as a host's last act
  trainlogd exec -- python train.py    run a command as a session, and ship it
  trainlogd status                     what is under way, what is stuck, and why
`;

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

/** Reads the arguments, runs one command, gives its exit code. Never throws for what a user did. */
export async function main(args: readonly string[], edge: Edge): Promise<number> {
  let code: number = exitCode.ok;
  const program = buildProgram(edge, (result) => {
    code = result;
  });
  try {
    // Its value is optional and only ever behind `=`: what follows it is the directory.
    const ownMax = args.includes('--') ? args.indexOf('--') : args.length;
    const given = args.map((arg, at) => (arg === '--exit-when-done' && at < ownMax ? `${arg}=` : arg));
    await program.parseAsync(given, { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, edge);
  }
}

function buildProgram(edge: Edge, give: (code: number) => void): Command {
  const program = new Command('trainlogd')
    .description('Ships the log and files of every training session to S3, so that none is ever lost.')
    .version(programVersion(), '--version')
    .option('--config <file>', 'YAML configuration file')
    .option('--env-file <file>', 'read variables from this file instead of ./.env')
    .option('--log-level <level>', 'error, warn, info or debug')
    .option('--json', 'print for scripts, where there is output to read')
    .addHelpText('after', help)
    .exitOverride()
    .configureOutput({ writeOut: edge.stdout, writeErr: edge.stderr })
    .showHelpAfterError('(trainlogd --help says more)');
  const command = (usage: string, description: string, parent = program) =>
    parent.command(usage).description(description).exitOverride();
  const flagsOf = <T extends GlobalFlags>(self: Command): T => self.optsWithGlobals<T>();

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
  command('status', 'show backlog, uploads and what needs you').action(async (_, self: Command) => {
    const { status } = await import('./status.ts');
    give(await status(edge, flagsOf(self)));
  });
  command('recover', 'complete the files of a session whose host is lost from what is in the bucket')
    .argument('<id>', 'id of the session', sessionId)
    .action(async (id: string, _, self: Command) => {
      const { recover } = await import('./recover.ts');
      give(await recover(edge, flagsOf(self), id));
    });
  const config = command('config', 'check or print the configuration');
  for (const [name, description, act] of [
    ['check', 'name every problem at once', 'configCheck'],
    ['print', 'print the configuration in force, with where each value came from', 'configPrint'],
  ] as const) {
    command(name, description, config).action(async (_, self: Command) => {
      const flags = flagsOf<GlobalFlags>(self);
      const commands = await import('./config.ts');
      give(commands[act]({ inputs: loadInputs(edge, flags), write: edge.stdout, json: flags.json }));
    });
  }
  command('schema', 'print the JSON Schema of the session log').action(async () => {
    const { schemaText } = await import('./schema.ts');
    edge.stdout(schemaText());
  });
  return program;
}

function sessionId(value: string): string {
  if (legalId(value) !== value)
    throw new InvalidArgumentError('An id has letters, digits, dots, dashes and underscores, up to 128.');
  return value;
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw new InvalidArgumentError('A duration has a unit: 30s, 5m, 2h.');
  return ms;
}

function durationText(value: string): string {
  if (value !== '') duration(value);
  return value;
}

function explain(error: unknown, edge: Edge): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof ConfigError) {
    for (const warning of error.warnings) edge.stderr(`warning: ${warning}\n`);
    edge.stderr(`${error.message}\n`);
    return exitCode.configuration;
  }
  if (error instanceof StateError) {
    edge.stderr(`trainlogd: ${error.message}\n`);
    return exitCode.configuration;
  }
  const trouble = journalTrouble(error);
  if (trouble !== undefined) {
    edge.stderr(`trainlogd: ${trouble.cause}: ${trouble.remedy}\n`);
    return exitCode.unsent;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  edge.stderr(
    `trainlogd: this is a bug, please report it; what is unsent goes on at the next start\n${detail}\n`,
  );
  return exitCode.bug;
}
