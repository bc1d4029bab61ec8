import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import type { Command } from './child.ts';

/** Where a command sends to. */
export interface Destination {
  readonly endpoint: string;
  readonly authorityFile: string | undefined;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const sinkKeys = { bucket: 'bench', accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };

/** Somebody who can send what lies at a path. `source` is a folder of sessions; `file` the one large file in it. */
export interface Peer {
  readonly name: string;
  /** Undefined when it can run here; else why not. */
  missing(): string | undefined;
  command(bench: Bench, job: Job): Command;
  /** Fails unless each ETag is the MD5 that it computed. */
  readonly comparesEtags?: boolean;
}

export interface Job {
  readonly to: Destination;
  readonly source: string;
  readonly file: string | undefined;
  /** Files in flight at once; for one large file its parts. */
  readonly parallel: number;
}

export const packages = ['rclone', 'awscli', 's3cmd'] as const;

/** As root, what is missing is installed from Debian; elsewhere its rows say that it is missing. */
export function installPeers(say: (line: string) => void): void {
  const wanted = packages.filter((name) => !existsSync(`/usr/bin/${name === 'awscli' ? 'aws' : name}`));
  if (wanted.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  if (process.env['TRAINLOGD_TEST_NO_INSTALL'] === '1') return;
  say(`installing ${wanted.join(' ')} (TRAINLOGD_TEST_NO_INSTALL=1 skips this)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (args: string[]) => spawnSync('apt-get', args, { env, stdio: 'ignore' }).status === 0;
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...wanted];
  if (!run(install) && run(['update', '-qq'])) run(install);
}

function missingProgram(path: string): string | undefined {
  return existsSync(path) ? undefined : `${path} is not installed`;
}

export const trainlogd: Peer = {
  name: 'trainlogd',
  missing: () => undefined,
  command: (bench, { to, source, parallel, file }) =>
    trainlogdCommand(bench, to, {
      TRAINLOGD_WATCH_DIRECTORY: source,
      TRAINLOGD_STATE_DIRECTORY: bench.directory('state'),
      ...(file === undefined ? { TRAINLOGD_UPLOAD_CONCURRENCY: String(parallel) } : {}),
    }),
};

/** The program against a destination; `drain` unless told otherwise. */
export function trainlogdCommand(
  bench: Bench,
  to: Destination,
  env: Record<string, string>,
  command: readonly string[] = ['drain', '--final', '--timeout', '14m'],
): Command {
  const [program = process.execPath, ...args] = bench.program;
  return {
    program,
    args: [...args, '--log-level', 'warn', ...command],
    cwd: bench.directory('cwd'),
    env: {
      AWS_ACCESS_KEY_ID: to.accessKeyId,
      AWS_SECRET_ACCESS_KEY: to.secretAccessKey,
      AWS_REGION: 'us-east-1',
      S3_BUCKET_NAME: to.bucket,
      AWS_ENDPOINT_URL_S3: to.endpoint,
      ...(to.authorityFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: to.authorityFile }),
      ...env,
    },
  };
}

function rclone(name: string, flags: readonly string[]): Peer {
  return {
    name,
    missing: () => missingProgram('/usr/bin/rclone'),
    command: (_, { to, source, file, parallel }) => ({
      program: '/usr/bin/rclone',
      args: [
        'copy',
        file ?? source,
        `sink:${to.bucket}/rclone`,
        '--config=/dev/null',
        '--s3-chunk-size=8Mi',
        '--s3-upload-cutoff=8Mi',
        ...(file === undefined ? [`--transfers=${parallel}`] : [`--s3-upload-concurrency=${parallel}`]),
        ...(to.authorityFile === undefined ? [] : [`--ca-cert=${to.authorityFile}`]),
        ...flags,
      ],
      env: {
        RCLONE_CONFIG_SINK_TYPE: 's3',
        RCLONE_CONFIG_SINK_PROVIDER: 'Other',
        RCLONE_CONFIG_SINK_ENDPOINT: to.endpoint,
        RCLONE_CONFIG_SINK_ACCESS_KEY_ID: to.accessKeyId,
        RCLONE_CONFIG_SINK_SECRET_ACCESS_KEY: to.secretAccessKey,
        RCLONE_CONFIG_SINK_REGION: 'us-east-1',
        RCLONE_CONFIG_SINK_NO_CHECK_BUCKET: 'true',
      },
    }),
  };
}

const awscli: Peer = {
  name: 'aws s3 cp',
  missing: () => missingProgram('/usr/bin/aws'),
  command: (bench, { to, source, file, parallel }) => {
    const config = join(bench.directory('aws'), 'config');
    const s3 = [
      `max_concurrent_requests = ${parallel}`,
      'multipart_chunksize = 8MB',
      'addressing_style = path',
    ];
    writeFileSync(config, `[default]\ns3 =\n${s3.map((line) => `  ${line}\n`).join('')}`);
    const target = `s3://${to.bucket}/aws/`;
    return {
      program: '/usr/bin/aws',
      args: [
        's3',
        'cp',
        file ?? source,
        target,
        '--endpoint-url',
        to.endpoint,
        '--only-show-errors',
        ...(file === undefined ? ['--recursive'] : []),
      ],
      env: {
        AWS_CONFIG_FILE: config,
        AWS_ACCESS_KEY_ID: to.accessKeyId,
        AWS_SECRET_ACCESS_KEY: to.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        ...(to.authorityFile === undefined ? {} : { AWS_CA_BUNDLE: to.authorityFile }),
      },
    };
  },
};

const s3cmd: Peer = {
  name: 's3cmd put',
  comparesEtags: true,
  missing: () => missingProgram('/usr/bin/s3cmd'),
  command: (bench, { to, source, file }) => {
    const { host, protocol } = new URL(to.endpoint);
    const home = bench.directory('s3cmd');
    mkdirSync(home, { recursive: true });
    const config = join(home, 's3cfg');
    writeFileSync(config, '[default]\n');
    return {
      program: '/usr/bin/s3cmd',
      args: [
        `--config=${config}`,
        `--access_key=${to.accessKeyId}`,
        `--secret_key=${to.secretAccessKey}`,
        `--host=${host}`,
        `--host-bucket=${host}`,
        '--multipart-chunk-size-mb=8',
        '--no-progress',
        '--quiet',
        ...(protocol === 'https:' ? ['--ssl', `--ca-certs=${to.authorityFile}`] : ['--no-ssl']),
        'put',
        ...(file === undefined ? ['--recursive', `${source}/`] : [file]),
        `s3://${to.bucket}/s3cmd/`,
      ],
      env: { HOME: home },
    };
  },
};

const raw: Peer = {
  name: 'raw PUT, the limit',
  missing: () => undefined,
  command: (_, { to, source, file, parallel }) => ({
    program: process.execPath,
    args: [
      join(import.meta.dirname, 'raw-put.ts'),
      to.endpoint,
      file ?? source,
      String(parallel),
      ...(to.authorityFile === undefined ? [] : [to.authorityFile]),
    ],
    env: {},
  }),
};

const rcloneDefault = rclone('rclone', []);
/** Neither MD5 nor a comparison of checksums: as little as it can be made to do. */
const rcloneUnchecked = rclone('rclone, no checksums', ['--s3-disable-checksum', '--ignore-checksum']);

export const forLargeFiles = [trainlogd, rcloneDefault, rcloneUnchecked, awscli, s3cmd, raw];
export const forSmallFiles = [trainlogd, rcloneDefault, rcloneUnchecked, raw];
export const forCeph = [trainlogd, rcloneDefault];
