/**
 * Whether tests have a real S3 server, and how to get one: an endpoint that the environment names, the one that
 * `test/s3-server` already runs, or one of this checkout alone, started here and thrown away at the end.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

const script = join(import.meta.dirname, '..', 's3-server');
const checkout = join(import.meta.dirname, '..', '..');
const usualPort = 7480;

export type Environment = Readonly<Record<string, string | undefined>>;

export type S3Server =
  | { readonly available: true; readonly env: Environment; readonly release: () => void }
  | { readonly available: false; readonly reason: string };

export async function acquireS3Server(env: Environment): Promise<S3Server> {
  if (env['S3_TEST_ENDPOINT']) return { available: true, env: {}, release: () => {} };
  const known = env['TRAINLOGD_TEST_S3_ABSENT'];
  if (known) return { available: false, reason: known };
  if (process.platform !== 'linux' || !existsSync('/bin/bash')) {
    return { available: false, reason: 'the S3 server of the tests runs on Debian and Ubuntu only' };
  }
  if (run('status', env).status === 0)
    return { available: true, env: exportsOf(run('env', env)), release: () => {} };
  return await startOwn(env);
}

async function startOwn(env: Environment): Promise<S3Server> {
  const named = env['S3_SERVER_DIR'];
  const directory = named ?? ownDirectory();
  const last = {
    ...env,
    S3_SERVER_DIR: directory,
    S3_SERVER_PORT: env['S3_SERVER_PORT'] ?? lastPort(directory),
  };
  if (run('status', last).status === 0)
    return { available: true, env: exportsOf(run('env', last)), release: () => {} };
  const own = { ...last, S3_SERVER_PORT: env['S3_SERVER_PORT'] ?? String(await choosePort()) };
  const started = run('start', own);
  if (started.status !== 0) {
    return {
      available: false,
      reason: lastLine(started.stderr) || `${script} start exits ${started.status}`,
    };
  }
  // A directory that somebody named is theirs to delete.
  const release = () => void run(named === undefined ? 'reset' : 'stop', own);
  return { available: true, env: exportsOf(started), release };
}

/** One server per checkout: two checkouts that test at the same time must not meet. */
function ownDirectory(): string {
  const key = createHash('sha256').update(checkout).digest('hex').slice(0, 12);
  return join(tmpdir(), `trainlogd-s3-${key}`);
}

/** The port that the server in this directory was last started with. */
function lastPort(directory: string): string {
  const configuration = join(directory, 'ceph.conf');
  const text = existsSync(configuration) ? readFileSync(configuration, 'utf8') : '';
  return /endpoint=127\.0\.0\.1:(\d+)/.exec(text)?.[1] ?? String(usualPort);
}

async function choosePort(): Promise<number> {
  if (!(await answers(usualPort))) return usualPort;
  return freePort();
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function run(command: 'status' | 'env' | 'start' | 'stop' | 'reset', env: Environment) {
  return spawnSync(script, [command], { env, encoding: 'utf8', timeout: 120_000 });
}

function exportsOf({ stdout }: { stdout: string }): Record<string, string> {
  return Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map((m) => [m[1] ?? '', m[2] ?? '']),
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
