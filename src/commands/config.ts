import { type LoadedConfig, type LoadInputs, loadConfig } from '../config/load.ts';
import { printConfig, printConfigJson } from '../config/print.ts';
import { ConfigError } from '../config/problem.ts';

export interface ConfigCommandOptions {
  readonly inputs: LoadInputs;
  /** Takes the text that the command has to say, line ends included. */
  readonly write: (text: string) => void;
  readonly json?: boolean | undefined;
  /** What was found before it is loaded. */
  readonly warnings?: readonly string[];
}

const exitOk = 0;
const exitConfiguration = 78;

/** `trainlogd config check`: "ok" with warnings, or all problems. Gives the exit code: 0 or 78. */
export function configCheck({ json = false, ...options }: ConfigCommandOptions): number {
  return withConfig({ ...options, json }, ({ warnings }) => {
    if (json) return `${JSON.stringify({ ok: true, problems: [], warnings }, null, 2)}\n`;
    return `${[...warnings.map(warningLine), 'ok'].join('\n')}\n`;
  });
}

/** `trainlogd config print`: the effective configuration with its sources. Gives the exit code: 0 or 78. */
export function configPrint({ json = false, ...options }: ConfigCommandOptions): number {
  return withConfig({ ...options, json }, (loaded) => {
    if (json) return printConfigJson(loaded);
    return `${loaded.warnings.map((warning) => `# ${warningLine(warning)}\n`).join('')}${printConfig(loaded)}`;
  });
}

function withConfig(
  { inputs, write, json, warnings: before = [] }: ConfigCommandOptions,
  say: (loaded: LoadedConfig) => string,
): number {
  try {
    const loaded = loadConfig(inputs);
    write(say({ ...loaded, warnings: [...before, ...loaded.warnings] }));
    return exitOk;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems, message } = error;
    const warnings = [...before, ...error.warnings];
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
