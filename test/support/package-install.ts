/** Programs that single suites need beside the S3 server, installed where that can be done without asking for a password. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rootPrefix } from './s3-install.ts';
import type { Environment } from './s3-server.ts';

export interface NeededProgram {
  readonly path: string;
  /** Of Debian. */
  readonly packages: readonly string[];
  readonly what: string;
  /** Comes with a server, which the package starts where systemd runs. */
  readonly startsServer?: true;
}

/** A browser, and a font that it can write with. */
export const chromium: NeededProgram = {
  path: '/usr/bin/chromium',
  packages: ['chromium', 'fonts-dejavu-core'],
  what: 'the tests of the status page',
};

export const promtool: NeededProgram = {
  path: '/usr/bin/promtool',
  packages: ['prometheus'],
  what: 'the tests of alerts and dashboard',
  startsServer: true,
};

/** Why the program is not there afterwards; undefined when it is. */
export function installProgram(
  { path, packages, what, startsServer }: NeededProgram,
  env: Environment,
  say: (line: string) => void,
): string | undefined {
  if (existsSync(path)) return undefined;
  const names = packages.join(' ');
  if (!existsSync('/etc/debian_version'))
    return `${path} is missing, and is installed on Debian only: ${names}`;
  if (env['TRAINLOGD_TEST_NO_INSTALL'] === '1')
    return `TRAINLOGD_TEST_NO_INSTALL=1, and ${path} is missing: ${names}`;
  if (startsServer && existsSync('/run/systemd/system') && env['CI'] !== 'true')
    return `${path} is missing, and its package would start a server on this machine: ${names}`;
  const asRoot = rootPrefix();
  if (!asRoot) return `neither root nor sudo without a password, and ${path} is missing: ${names}`;
  say(`installing for ${what}: ${names} (TRAINLOGD_TEST_NO_INSTALL=1 skips this)`);
  const wait = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
  apt(asRoot, [...wait, 'update']);
  const said = apt(asRoot, [...wait, '-y', '--no-install-recommends', 'install', ...packages]);
  return existsSync(path) ? undefined : `installing ${names} did not make ${path}: ${said}`;
}

function apt(asRoot: readonly string[], args: readonly string[]): string {
  const [program = 'apt-get', ...rest] = [...asRoot, 'apt-get', ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done = spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env });
  return done.stderr.trim().split('\n').slice(-3).join(' / ');
}
