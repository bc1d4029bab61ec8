import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { assemble, type LoadedConfig } from './assemble.ts';
import { type DotenvFile, secretTexts } from './credentials.ts';
import type { Surroundings } from './paths.ts';
import { ConfigError, type Findings, type Problem } from './problem.ts';
import { overrideLayer } from './resolve.ts';
import type { OptionKey } from './schema.ts';
import type { Layer } from './source.ts';
import { dotenvVariables, environmentVariables, type Variables } from './variables.ts';
import { readYaml } from './yaml-file.ts';

export type { LoadedConfig } from './assemble.ts';

export interface LoadInputs extends Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`. A named file must exist. */
  readonly configFile?: string | undefined;
  /** `--env-file`. A named file must exist; without one `.env` in `cwd` is read if it is there. */
  readonly envFile?: string | undefined;
  /** What flags set, by option key. */
  readonly overrides?: Readonly<Partial<Record<OptionKey, unknown>>> | undefined;
  /** The file that is read if it is there and none is named. */
  readonly systemConfigFile?: string | undefined;
  /** Instead of looking at the disk, which waits for a mount that does not answer. */
  readonly follow?: ((path: string) => string) | undefined;
}

/** Far beyond any real file; keeps a mistaken path such as a device from filling the memory. */
const fileBytesMax = 1024 * 1024;

/**
 * Reads the configuration: flags over environment over `.env` over YAML over defaults.
 * Throws one ConfigError with all problems. Reads files, asks nothing else of the system.
 */
export function loadConfig(inputs: LoadInputs): LoadedConfig {
  const findings: Findings = { problems: [], warnings: [] };
  const environment = environmentVariables(inputs.env, findings);
  const dotenvFile = dotenvFileOf(inputs);
  const dotenv = loadDotenv(inputs, dotenvFile, findings);
  const { layer: yaml, file } = loadYaml(inputs, environment, dotenv, findings);
  const overrides = overrideLayer(inputs.overrides ?? {}, findings);
  const { loaded, remains } = assemble({
    ...inputs,
    environment,
    dotenv,
    dotenvFile,
    yaml,
    overrides,
    configFile: file,
    follow: inputs.follow ?? follow,
    findings,
  });
  const hide = hider(secretTexts(environment, dotenv));
  const warnings = findings.warnings.map(hide);
  if (!loaded || findings.problems.length > 0)
    throw new ConfigError(
      findings.problems.map((problem) => hideIn(problem, hide)),
      warnings,
      remains,
    );
  return { ...loaded, warnings };
}

function dotenvFileOf({ cwd, envFile }: LoadInputs): DotenvFile {
  const path = resolve(cwd, envFile ?? '.env');
  const read = (findings: Findings) => {
    const text = readText(path);
    return typeof text === 'string' ? dotenvVariables(text, path, findings) : text.failure;
  };
  return { path, read };
}

function loadDotenv({ envFile }: LoadInputs, { path: file }: DotenvFile, findings: Findings): Variables {
  const text = readText(file);
  if (typeof text === 'string') return dotenvVariables(text, file, findings);
  if (envFile !== undefined)
    findings.problems.push({ key: '--env-file', value: JSON.stringify(envFile), problem: text.failure });
  // A directory named .env is a Python environment, and no mistake.
  else if (text.code !== 'ENOENT' && text.code !== 'EISDIR' && text.code !== 'ENOTDIR')
    findings.warnings.push(`${file}: ${text.failure}; it was left out`);
  return new Map();
}

function loadYaml(
  { cwd, configFile, systemConfigFile }: LoadInputs,
  environment: Variables,
  dotenv: Variables,
  findings: Findings,
): { layer: Layer; file: string | undefined } {
  const variable = environment.get('TRAINLOGD_CONFIG') ?? dotenv.get('TRAINLOGD_CONFIG');
  const named = configFile ?? variable?.value;
  const file = resolve(cwd, named ?? systemConfigFile ?? '/etc/trainlogd/config.yaml');
  const text = readText(file);
  if (typeof text === 'string') return { layer: readYaml(text, file, findings), file };
  if (named !== undefined || text.code !== 'ENOENT') {
    const key = configFile !== undefined ? '--config' : variable ? variable.name : file;
    findings.problems.push({ key, value: JSON.stringify(file), problem: text.failure });
  }
  return { layer: new Map(), file: undefined };
}

/** Of a pipe that a shell made for us (`--env-file <(…)`) there is a writer; a name in a directory may wait for one for ever. */
const shellsPipe = /^\/(dev\/(fd\/\d+|stdin)|proc\/(self|\d+)\/fd\/\d+)$/;
const { O_RDONLY, O_NONBLOCK } = constants;

/** The text of a file up to the bound, or why there is none. */
function readText(file: string): string | { code: string; failure: string } {
  let descriptor: number | undefined;
  try {
    const isShells = shellsPipe.test(file);
    descriptor = openSync(file, isShells ? O_RDONLY : O_RDONLY | O_NONBLOCK);
    if (!isShells && fstatSync(descriptor).isFIFO())
      return { code: 'FIFO', failure: 'cannot read it: a named pipe, which may never end' };
    const buffer = Buffer.alloc(fileBytesMax + 1);
    let filled = 0;
    while (filled <= fileBytesMax) {
      const read = readSync(descriptor, buffer, filled, buffer.length - filled, null);
      if (read === 0) break;
      filled += read;
    }
    if (filled > fileBytesMax)
      return { code: 'EFBIG', failure: `cannot read it: larger than ${fileBytesMax} bytes` };
    return buffer.toString('utf8', 0, filled);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { code, failure: code === 'ENOENT' ? 'there is no such file' : `cannot read it: ${code}` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A path with its links followed as far as it exists; the rest may come into being later. */
function follow(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there, or not to be looked at: then its parent decides.
    const parent = dirname(path);
    return parent === path ? path : join(follow(parent), basename(path));
  }
}

function hider(secrets: readonly string[]): (text: string) => string {
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '[redacted]'), text);
}

function hideIn(problem: Problem, hide: (text: string) => string): Problem {
  return {
    ...problem,
    ...(problem.value !== undefined && { value: hide(problem.value) }),
    problem: hide(problem.problem),
  };
}
