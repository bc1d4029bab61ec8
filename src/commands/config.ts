import { type LoadedConfig, type LoadInputs, loadConfig } from '../config/load.ts';
import { printConfig, printConfigJson } from '../config/print.ts';
import { ConfigError } from '../config/problem.ts';

export interface ConfigCommandOptions {
  readonly inputs: LoadInputs;
  /** Takes the text that the command has to say, line ends included. */
  readonly write: (text: string) => void;
  readonly json?: boolean | undefined;
}

const exitOk = 0;
const exitConfiguration = 78;

/** `trainlogd config check`: "ok" with warnings, or all problems. Gives the exit code: 0 or 78. */
export function configCheck({ inputs, write, json = false }: ConfigCommandOptions): number {
  return withConfig({ inputs, write, json }, ({ warnings }) => {
    if (json) return `${JSON.stringify({ ok: true, problems: [], warnings }, null, 2)}\n`;
    return `${[...warnings.map(warningLine), 'ok'].join('\n')}\n`;
  });
}

/** `trainlogd config print`: the effective configuration with its sources. Gives the exit code: 0 or 78. */
export function configPrint({ inputs, write, json = false }: ConfigCommandOptions): number {
  return withConfig({ inputs, write, json }, (loaded) => {
    if (json) return printConfigJson(loaded);
    return `${loaded.warnings.map((warning) => `# ${warningLine(warning)}\n`).join('')}${printConfig(loaded)}`;
  });
}

function withConfig(
  { inputs, write, json }: ConfigCommandOptions,
  say: (loaded: LoadedConfig) => string,
): number {
  try {
    write(say(loadConfig(inputs)));
    return exitOk;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems, warnings, message } = error;
    write(
      json
        ? `${JSON.stringify({ ok: false, problems, warnings }, null, 2)}\n`
        : `${[...warnings.map(warningLine), message].join('\n')}\n`,
    );
    return exitConfiguration;
  }
}

function warningLine(warning: string): string {
  return `warning: ${warning}`;
}
