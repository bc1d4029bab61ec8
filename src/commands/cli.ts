import { Command, CommanderError } from 'commander';
import { journalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { ConfigError } from '../config/problem.ts';
import { type Edge, exitCode } from './edge.ts';
import { NoAnswer } from './no-answer.ts';
import { oneLine } from './one-line.ts';
import { registerOperating } from './register-operating.ts';
import { registerReading } from './register-reading.ts';
import { registerShipping } from './register-shipping.ts';
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
  trainlogd list                       which sessions are in the bucket; then show, get and verify
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

/** Also what the man page and the shell's completion are made of. */
export function buildProgram(edge: Edge, give: (code: number) => void): Command {
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
  const register = { edge, program, command, give };
  registerShipping(register);
  registerOperating(register);
  registerReading(register);
  return program;
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
    // Whoever holds it ends some day; systemd starts again whatever did not end by its configuration.
    const isTriedAgain = error.trouble.kind === 'held' && edge.env['NOTIFY_SOCKET'] !== undefined;
    return isTriedAgain ? exitCode.unsent : exitCode.configuration;
  }
  if (error instanceof NoAnswer) {
    edge.stderr(`trainlogd: ${oneLine(error.message)}\n`);
    return error.exitCode;
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
