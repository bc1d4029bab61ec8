import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadInputs, loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

/** A fresh directory with the given files, removed when the test ends. */
export function makeDirectory(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'trainlogd-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** Inputs that see nothing of this machine, with a bucket and a region so that a test names only its own. */
export function inputsWith(inputs: Partial<LoadInputs> = {}): LoadInputs {
  return {
    cwd: '/nowhere',
    homeDirectory: '/home/ada',
    isRoot: false,
    hostname: 'node-1',
    systemConfigFile: '/nowhere/config.yaml',
    ...inputs,
    env: { S3_BUCKET_NAME: 'my-logs', AWS_REGION: 'eu-central-1', ...inputs.env },
  };
}

export function load(inputs: Partial<LoadInputs> = {}) {
  return loadConfig(inputsWith(inputs));
}

/** The error of a configuration that must not hold. */
export function loadError(inputs: Partial<LoadInputs> = {}): ConfigError {
  try {
    load(inputs);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError, the configuration was accepted');
}
