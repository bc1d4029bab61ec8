import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { installProgram } from '../support/package-install.ts';
import { makeBucket, type TestBucket } from '../support/s3-bucket.ts';
import { type Cleanup, type Host, run, start, toBucket, type Variables } from '../support/trainlogd.ts';
import { BuiltImage } from './built-image.ts';
import { withCleanup } from './cleanup.ts';
import { imagePrograms } from './image-programs.ts';

import { gatewayTo, hasty, stopWithQueue } from './ten-thousand-files.ts';

const project = join(import.meta.dirname, '..', '..');
const inImage = join(import.meta.dirname, 'in-image.sh');
const uid = 10_001;
let image: BuiltImage;

beforeAll(() => {
  for (const program of imagePrograms) {
    const absence = installProgram(program, process.env, (line) => process.stderr.write(`${line}\n`));
    if (absence !== undefined) throw new Error(absence);
  }
  image = new BuiltImage();
});
afterAll(() => image?.remove());

interface Container extends Host {
  readonly bucket: TestBucket;
}

/** A container of the image with a volume and a folder; what is run in it begins with the image's entrypoint. */
async function containerOf(context: Cleanup, root: string, more: Variables = {}): Promise<Container> {
  const base = mkdtempSync(join(tmpdir(), 'trainlogd-container-'));
  context.onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const [folder, state] = [join(base, 'output'), join(base, 'state')];
  for (const directory of [folder, state]) {
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, uid, uid);
  }
  const bucket = await makeBucket();
  const variables = Object.fromEntries(image.config.Env.map((one) => one.split(/=(.*)/s).slice(0, 2)));
  // The tools that the script needs before it is in the image.
  const env = { ...variables, ...toBucket(bucket), ...more, PATH: `/usr/bin:/usr/sbin:/bin:/sbin` };
  const command = [inImage, root, state, folder, '/usr/bin/trainlogd'] as const;
  return { base, folder, state, env, command: [...command], bucket };
}

function dropSession({ folder }: Host, id: string): void {
  const directory = join(folder, id);
  mkdirSync(directory);
  const files = {
    'session.json': JSON.stringify({ id, startedAt: '2026-11-01T00:00:00Z' }),
    'stdout.log': `step 1 of ${id}\n`,
    _SUCCESS: '',
  };
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  execFileSync('chown', ['-R', `${uid}:${uid}`, directory]);
}

async function expectWhole({ bucket }: Container, id: string): Promise<void> {
  const log = sessionLogSchema.parse(
    JSON.parse((await bucket.bytes(`training-logs/2026/11/${id}.log`)).toString()),
  );
  expect(log.session.status).toBe('completed');
  expect(log.missing).toEqual([]);
  const out = log.companions.find(({ path }) => path === 'stdout.log');
  expect((await bucket.bytes(out?.key ?? '')).toString()).toBe(`step 1 of ${id}\n`);
}

/** The process that is number 1 in there. */
function firstProcessOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

describe('the image', () => {
  test('is the program, its libraries and cp, for a user without rights, and says what it is', () => {
    const { config, root } = image;
    expect(config).toMatchObject({
      ...{ User: '10001:10001', Entrypoint: ['/usr/bin/trainlogd'], Cmd: ['run'], StopSignal: 'SIGTERM' },
      Volumes: { '/var/lib/trainlogd': {} },
      Labels: { 'org.opencontainers.image.version': description.version },
      Healthcheck: { Test: ['CMD', '/usr/bin/trainlogd', 'status', '--json'] },
    });
    const find = (...what: string[]) =>
      execFileSync('find', [root, '-xdev', ...what, '-printf', '%P\n'], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean);
    expect(find('-perm', '/6000')).toEqual([]);
    expect(find('-type', 'f', '-perm', '/111', '-path', '*/bin/*').toSorted()).toEqual([
      'usr/bin/cp',
      'usr/bin/trainlogd',
    ]);
    expect(find('-uid', String(uid))).toEqual(['var/lib/trainlogd']);
    expect(find('-perm', '/022', '-not', '-type', 'l')).toEqual([]);
    const records = find('-path', '*/status.d/*').map((path) => path.replace(/.*\//, ''));
    expect(records).toEqual(expect.arrayContaining(['libc6', 'libatomic1', 'libstdc++6', 'coreutils']));
  });

  test('has the bytes that a build elsewhere has', () => {
    const out = mkdtempSync(join(tmpdir(), 'trainlogd-binary-'));
    try {
      execFileSync(process.execPath, [join(project, 'config/package/binary.ts'), '--out', out], {
        stdio: 'pipe',
      });
      const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
      expect(sum(join(image.root, 'usr/bin/trainlogd'))).toBe(
        sum(join(out, `trainlogd-linux-${process.arch}`)),
      );
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  test('drains a folder on a read-only root, and cp hands the program on', async (context) => {
    const container = await containerOf(context, image.root);
    for (const id of ['run-1', 'run-2']) dropSession(container, id);
    const { code, stderr } = await run(context, container, ['drain']);
    expect(stderr).toContain('nothing is left to ship');
    expect(code).toBe(0);
    for (const id of ['run-1', 'run-2']) await expectWhole(container, id);
    const doctor = await run(context, container, ['doctor', '--write']);
    expect(doctor.stdout).toContain('s3:GetObject, s3:PutObject');
    expect(doctor.code).toBe(0);
    const args = [
      image.root,
      container.state,
      container.folder,
      '/usr/bin/cp',
      '/usr/bin/trainlogd',
      '/var/lib/trainlogd/program',
    ];
    expect(spawnSync(inImage, args, { env: container.env, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const copied = spawnSync(join(container.state, 'program'), ['--version'], { encoding: 'utf8' });
    expect(copied.stdout).toBe(`${description.version}\n`);
  });

  test('as process 1 it is healthy while it answers, and SIGTERM ends it with all in the bucket', async (context) => {
    const container = await containerOf(context, image.root, {
      TRAINLOGD_HTTP_LISTEN: `127.0.0.1:${await freePort()}`,
    });
    const [, , ...healthcheck] = image.config.Healthcheck.Test;
    const agent = start(context, container, image.config.Cmd);
    await agent.event('daemon.started', undefined, 60_000);
    const pid = firstProcessOf(agent.pid);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m);
    expect(status).toMatch(/^NSpid:\t\d+\t1$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(await run(context, container, healthcheck)).toMatchObject({ code: 0 });
    const { TRAINLOGD_HTTP_LISTEN: listen } = container.env;
    expect(await (await fetch(`http://${listen}/healthz`)).text()).toMatch(/ok|alive/);
    process.kill(pid, 'SIGSTOP');
    const hung = await run(context, container, healthcheck);
    process.kill(pid, 'SIGCONT');
    expect(hung.code).not.toBe(0);
    await eventually(async () => (await run(context, container, healthcheck)).code === 0 || undefined);
    dropSession(container, 'run-3');
    await agent.event('session.found', ({ session }) => session === 'run-3');
    process.kill(pid, 'SIGTERM');
    expect((await agent.ended).code).toBe(0);
    await expectWhole(container, 'run-3');
  });
});

test.each([
  [30, '25s', 75],
  [900, '870s', 0],
])(
  'the image with 10,000 files queued and %i s of grace: drain.timeout %s, exit %i, all accounted for',
  async (grace, timeout, code) => {
    await withCleanup(async (context) => {
      const container = await containerOf(context, image.root, hasty(timeout));
      const gateway = await gatewayTo(container.bucket, context);
      const env = { ...container.env, AWS_ENDPOINT_URL_S3: gateway.endpoint };
      const owned = () => void execFileSync('chown', ['-R', `${uid}:${uid}`, container.folder]);
      const queue = {
        ...{ host: { ...container, env }, bucket: container.bucket, gateway },
        ...{ processOf: firstProcessOf, afterTraining: owned },
      };
      await stopWithQueue(context, queue, { code, graceMs: grace * 1000 });
    });
  },
);

test('on a Debian without Node, npm, python and curl the single file drains and examines', async (context) => {
  const root = mkdtempSync(join(tmpdir(), 'trainlogd-bare-'));
  context.onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  execFileSync('tar', ['-C', root, '-xf', image.system]);
  execFileSync('cp', [join(image.root, 'usr/bin/trainlogd'), join(root, 'usr/bin')]);
  for (const directory of ['var/lib/trainlogd', 'training-output']) mkdirSync(join(root, directory));
  const container = await containerOf(context, root);
  const shell = ['/bin/sh', '-c', 'command -v node npm python3 curl || echo none of them'];
  const [script = '', ...places] = container.command?.slice(0, -1) ?? [];
  const looked = spawnSync(script, [...places, ...shell], { env: container.env, encoding: 'utf8' });
  expect(looked.stdout).toBe('none of them\n');
  dropSession(container, 'bare');
  expect(await run(context, container, ['drain'])).toMatchObject({ code: 0 });
  await expectWhole(container, 'bare');
  const { code, stdout } = await run(context, container, ['doctor']);
  expect(stdout).toMatch(/destination|bucket/);
  expect(code).toBe(0);
});
