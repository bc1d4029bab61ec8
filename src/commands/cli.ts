import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { journalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { ConfigError } from '../config/problem.ts';
import { parseDuration } from '../config/units.ts';
import { sessionLogSchema } from '../domain/session-log.ts';
import { configCheck, configPrint } from './config.ts';
import { backfill, drain } from './drain.ts';
import { type Edge, exitCode } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { plan } from './plan.ts';
import { recover } from './recover.ts';
import { type RunFlags, run } from './run.ts';
import { schemaText } from './schema.ts';
import { status } from './status.ts';
import { programVersion } from './version.ts';

const help = `
Exit codes: 0 all is well, 75 something is left to ship (each file is named), 64 usage, 69 destination, 78 configuration, 70 a bug.

The folder, the bucket and all else come from a YAML file (--config, TRAINLOGD_CONFIG, /etc/trainlogd/config.yaml),
from TRAINLOGD_* variables, and from a .env file with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, S3_BUCKET_NAME.

Examples:
  trainlogd plan ./outputs             what would be shipped, and under which keys
  trainlogd run ./outputs              watch a folder until told to stop
  trainlogd drain ./outputs --final    ship all that is there now, as a host's last act
  trainlogd status                     what is under way, what is stuck, and why
`;

/** Reads the arguments, runs one command, gives its exit code. Never throws for what a user did. */
export async function main(args: readonly string[], edge: Edge): Promise<number> {
  let code: number = exitCode.ok;
  const program = buildProgram(edge, (result) => {
    code = result;
  });
  try {
    // Its value is optional and only ever behind `=`: what follows it is the directory.
    const given = args.map((arg) => (arg === '--exit-when-done' ? '--exit-when-done=' : arg));
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
    .action(async (dir: string | undefined, _, self: Command) =>
      give(await run(edge, flagsOf<RunFlags>(self), dir)),
    );
  command('drain [dir]', 'ship all that is there now, then stop')
    .option(
      '--timeout <duration>',
      'give up after this long; what is left goes on at the next start',
      duration,
      300_000,
    )
    .option('--final', 'the host is going: sessions without an end are interrupted, not stalled')
    .action(async (dir: string | undefined, _, self: Command) => {
      const { timeout, ...flags } = flagsOf<GlobalFlags & { timeout: number; final?: boolean }>(self);
      give(await drain(edge, { ...flags, timeoutMs: timeout }, dir));
    });
  command('plan [dir]', 'show what would be shipped and under which keys; sends nothing').action(
    async (dir: string | undefined, _, self: Command) => give(await plan(edge, flagsOf(self), dir)),
  );
  command(
    'backfill [dir]',
    'ship the sessions that were too old at the first start (watch.ignoreOlderThan)',
  ).action(async (dir: string | undefined, _, self: Command) =>
    give(await backfill(edge, flagsOf(self), dir)),
  );
  command('status', 'show backlog, uploads and what needs you').action(async (_, self: Command) =>
    give(await status(edge, flagsOf(self))),
  );
  command('recover', 'complete the files of a session whose host is lost from what is in the bucket')
    .argument('<id>', 'id of the session', sessionId)
    .action(async (id: string, _, self: Command) => give(await recover(edge, flagsOf(self), id)));
  const config = command('config', 'check or print the configuration');
  for (const [name, description, act] of [
    ['check', 'name every problem at once', configCheck],
    ['print', 'print the configuration in force, with where each value came from', configPrint],
  ] as const) {
    command(name, description, config).action((_, self: Command) => {
      const flags = flagsOf<GlobalFlags>(self);
      give(act({ inputs: loadInputs(edge, flags), write: edge.stdout, json: flags.json }));
    });
  }
  command('schema', 'print the JSON Schema of the session log').action(() => {
    edge.stdout(schemaText());
  });
  return program;
}

function sessionId(value: string): string {
  const { success } = sessionLogSchema.shape.session.shape.id.safeParse(value);
  if (!success)
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
