import type { Command, Option } from 'commander';
import { buildProgram } from '../../src/commands/cli.ts';
import type { Edge } from '../../src/commands/edge.ts';

/** A command as `--help` describes it. */
export interface Described {
  /** With the commands that it is below: `bucket plan`; empty for the program. */
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  readonly options: readonly {
    readonly flags: string;
    readonly names: readonly string[];
    readonly text: string;
  }[];
  /** Names of the commands below it. */
  readonly below: readonly string[];
  /** What stands below the options: examples, exit codes. */
  readonly after: string;
}

const nowhere: Edge = {
  env: {},
  cwd: '/',
  pid: 0,
  isRoot: false,
  homeDirectory: undefined,
  stderrIsTerminal: false,
  stdout: () => undefined,
  stderr: () => undefined,
  onEndSignal: () => () => undefined,
  onReload: () => () => undefined,
};

/** The program first, then every command that a person may call, in the order of `--help`. */
export function describeAll(): readonly Described[] {
  const program = buildProgram(nowhere, () => undefined);
  return [
    describe(program, ''),
    ...program
      .createHelp()
      .visibleCommands(program)
      .flatMap((c) => withBelow(c, '')),
  ];
}

function withBelow(command: Command, above: string): Described[] {
  if (command.name() === 'help') return [];
  const name = `${above} ${command.name()}`.trim();
  const below = command.createHelp().visibleCommands(command);
  const own = describe(command, name);
  return [...(own.below.length > 0 ? [] : [own]), ...below.flatMap((child) => withBelow(child, name))];
}

function describe(command: Command, name: string): Described {
  const help = command.createHelp();
  const shown = help.visibleCommands(command).map((child) => child.name());
  return {
    name,
    usage: command.usage().replace(/^\[options\] ?/, ''),
    description: command.description(),
    options: help.visibleOptions(command).map(describeOption),
    below: shown.filter((child) => child !== 'help'),
    after: afterOptions(command),
  };
}

function describeOption({ flags, short, long, description }: Option) {
  return { flags, names: [short, long].flatMap((flag) => flag ?? []), text: description };
}

/** Added help is only to be had by printing all of it. */
function afterOptions(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.slice(command.helpInformation().length).trim();
}
