/** Installs the packages of the S3 server of the tests, where that can be done without asking for a password. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Environment } from './s3-server.ts';

const script = join(import.meta.dirname, '..', 's3-server');

/** Why the packages are not there afterwards; undefined when they are, or when a server is there without them. */
export async function installS3Server(
  env: Environment,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (env['S3_TEST_ENDPOINT']) return undefined;
  if (!existsSync('/etc/debian_version')) return 'the S3 server of the tests runs on Debian and Ubuntu only';
  const missing = packages().filter((name) => !isInstalled(name));
  if (missing.length === 0) return undefined;
  if (env['TRAINLOGD_TEST_NO_INSTALL'] === '1') {
    return `TRAINLOGD_TEST_NO_INSTALL=1, and these packages are missing: ${missing.join(' ')}`;
  }
  const asRoot = rootPrefix();
  if (asRoot === undefined) {
    return `neither root nor sudo without a password, and these packages are missing: ${missing.join(' ')}`;
  }
  say(
    `installing for the S3 server of the tests: ${missing.join(' ')} (TRAINLOGD_TEST_NO_INSTALL=1 skips this)`,
  );
  if (process.stdin.isTTY && process.stderr.isTTY) {
    say('Ctrl-C within 5 s stops here');
    await setTimeout(5_000);
  }
  const [program = script, ...args] = [...asRoot, script, 'install'];
  const done = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (done.status === 0) return undefined;
  return `installing failed: ${done.stderr.trim().split('\n').slice(-3).join(' / ')}`;
}

/** Named once, in the script that installs them. */
function packages(): string[] {
  const list = /^PACKAGES=\((.*)\)$/m.exec(readFileSync(script, 'utf8'))?.[1];
  if (list === undefined)
    throw new Error(`finding the packages to install: no PACKAGES=(…) line in ${script}`);
  return list.split(' ');
}

function isInstalled(name: string): boolean {
  const query = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
  return /^Status: .* installed$/m.test(query.stdout);
}

/** What makes a command run as root; undefined where a password would be asked for. */
export function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : undefined;
}
