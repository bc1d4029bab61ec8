import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { eventually } from '../support/eventually.ts';
import { bash, readJson, readText, runExec, sessionDirectory, startExec } from '../support/exec.ts';
import { trainlogdWords } from '../support/program.ts';
import { onlyLog, shippedLogs } from '../support/shipped-folder.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { type Cleanup, makeHost, run, start, toDirectory } from '../support/trainlogd.ts';

const quick = { TRAINLOGD_WATCH_SETTLE: '50ms', TRAINLOGD_WATCH_RESCAN: '1s', TRAINLOGD_LOG_FORMAT: 'text' };

// Each starts several programs.
describe.concurrent('trainlogd exec', { timeout: 120_000 }, () => {
  test('runs a command as a session: its output here and there, its files, its log in the destination', async (context) => {
    const { host, destination } = await place(context);
    const script =
      'echo ready; read -r line; echo "out $line"; echo err >&2; echo "$TRAINLOGD_SESSION_DIR"; echo "$PYTHONUNBUFFERED"';
    const running = startExec(context, host, ['--id', 'run-1', '--user', 'ada', ...bash(script)]);
    await running.said(/ready/);
    running.child.stdin?.end('typed\n');
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'err\n' });
    const directory = join(host.folder, 'run-1');
    expect(stdout.toString()).toBe(`ready\nout typed\n${directory}\n1\n`);
    expect(readText(directory, 'stdout.log')).toBe(stdout.toString());
    expect(readText(directory, 'stderr.log')).toBe('err\n');
    expect(readJson(directory, 'session.json')).toMatchObject({
      id: 'run-1',
      user: { username: 'ada' },
      exec: { command: ['bash', '-c', script], cwd: host.base },
    });
    const result = readJson(directory, 'result.json');
    expect(result).toMatchObject({ status: 'completed', exitCode: 0 });
    expect(result['residentBytesMax']).toBeGreaterThan(500_000);
    expect(readText(directory, 'session.pid')).toMatch(/^[1-9]\d*\n$/);
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);

    const log = await onlyLog(destination);
    expect(log).toMatchObject({
      session: { id: 'run-1', status: 'completed', sealedBy: 'result.json' },
      user: { username: 'ada' },
      missing: [],
      warnings: [],
    });
    expect(log.companions.map(({ path }) => path)).toEqual(['session.pid', 'stderr.log', 'stdout.log']);
  });

  test('without --id, a session is named for its script and belongs to who runs it', async (context) => {
    const { host } = await place(context);
    writeFileSync(join(host.base, 'train.sh'), 'true\n');
    expect(await runExec(context, host, ['--no-ship', '--', 'bash', 'train.sh'])).toMatchObject({ code: 0 });
    const directory = sessionDirectory(host);
    expect(directory).toMatch(/\/train-\d{8}T\d{6}Z-[0-9a-f]{6}$/);
    expect(readJson(directory, 'session.json')).toMatchObject({ user: { username: userInfo().username } });
  });

  test.for([
    { script: 'exit 3', code: 3, signal: null, status: 'failed' },
    { script: 'kill -KILL $$', code: null, signal: 'SIGKILL', status: 'failed' },
    { script: 'kill -TERM $$', code: null, signal: 'SIGTERM', status: 'cancelled' },
    { script: 'kill -USR2 $$', code: null, signal: 'SIGUSR2', status: 'failed' },
    { script: 'kill -PIPE $$', code: null, signal: 'SIGPIPE', status: 'failed' },
    { script: 'kill -SEGV $$', code: 139, signal: null, status: 'failed' },
  ])('ends as its command does: $script', async ({ script, code, signal, status }, context) => {
    const { host } = await place(context);
    const ended = await runExec(context, host, ['--no-ship', ...bash(script)]);
    expect(ended).toMatchObject({ code, signal });
    expect(readJson(sessionDirectory(host), 'result.json')['status']).toBe(status);
  });

  test('a command that is not there is 127, one that cannot be run is 126, and both are failed sessions', async (context) => {
    const { host, destination } = await place(context);
    const absent = await runExec(context, host, ['--', 'no-such-command']);
    expect(absent).toMatchObject({ code: 127 });
    expect(absent.stderr).toContain('starting "no-such-command": it is not there (ENOENT)');
    expect((await onlyLog(destination)).session.status).toBe('failed');
    writeFileSync(join(host.base, 'plain.txt'), 'x');
    expect((await runExec(context, host, ['--no-ship', '--', './plain.txt'])).code).toBe(126);
  });

  test('options behind the command are the command’s own', async (context) => {
    const { host } = await place(context);
    const ended = await runExec(context, host, [
      '--no-ship',
      '--',
      'echo',
      '--version',
      '--',
      '--exit-when-done',
    ]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout.toString()).toBe('--version -- --exit-when-done\n');
  });

  test('a slow reader gets every byte, and slows the command down', async (context) => {
    const { host } = await place(context);
    const script = 'head -c 3000000 /dev/urandom | tee copy; echo done >&2';
    const running = startExec(context, host, ['--no-ship', ...bash(script)]);
    running.child.stdout?.pause();
    // Nobody reads: the pipes and a little more are all that can be under way.
    await eventually(() => statSync(join(host.base, 'copy')).size > 100_000);
    expect(running.stderr()).toBe('');
    running.child.stdout?.resume();
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const sum = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
    const copy = spawnSync('sha256sum', [join(host.base, 'copy')], { encoding: 'utf8' }).stdout.slice(0, 64);
    expect(sum(stdout)).toBe(copy);
    const log = spawnSync('sha256sum', [join(sessionDirectory(host), 'stdout.log')], { encoding: 'utf8' });
    expect(log.stdout.slice(0, 64)).toBe(copy);
  });

  test('scripts that open /dev/stdout and /dev/stderr work', async (context) => {
    const { host } = await place(context);
    const ended = await runExec(context, host, [
      '--no-ship',
      ...bash('echo a > /dev/stdout; echo b | tee /dev/stderr'),
    ]);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: 'b\n' });
    expect(ended.stdout.toString()).toBe('a\nb\n');
  });

  test('a reader that goes away ends the command by SIGPIPE, as without us', async (context) => {
    const { host } = await place(context);
    const running = startExec(context, host, ['--no-ship', '--', 'yes']);
    await running.said(/y/);
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ signal: 'SIGPIPE' });
  });

  test('what the command leaves behind does not keep it from ending', async (context) => {
    const { host } = await place(context);
    const running = startExec(context, host, ['--no-ship', ...bash('sleep 600 & echo "left $!"')]);
    const [, left] = await running.said(/left (\d+)/);
    context.onTestFinished(() => void process.kill(Number(left)));
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('what it started still writes');
  });

  test('out of memory on the GPU: failed, with the lines that tell, without colours and what was overwritten', async (context) => {
    const { host, destination } = await place(context);
    const lines = [
      '\\r  1%% step 1\\r 50%% step 50\\n',
      '\\033[31mTraceback (most recent call last):\\033[0m\\n',
      '  File "train.py", line 12, in <module>\\n    loss.backward()\\n',
      'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB\\n',
    ];
    const { code } = await runExec(context, host, bash(`printf '${lines.join('')}' >&2; exit 1`));
    expect(code).toBe(1);
    const { session, results } = await onlyLog(destination);
    expect(session.status).toBe('failed');
    expect(results?.error).toBe(
      [
        'Traceback (most recent call last):',
        '  File "train.py", line 12, in <module>',
        '    loss.backward()',
        'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB',
        'it ended with exit code 1',
      ].join('\n'),
    );
  });

  test('no secret of command, environment or output is in what it writes about them', async (context) => {
    const { host } = await place(context);
    const token = `hf_${'x1'.repeat(15)}`;
    const args = [
      '--no-ship',
      '--',
      'bash',
      '-c',
      'echo "ValueError: bad token $HF_TOKEN" >&2; exit 1',
      'x',
      '--api-key',
      's3cr3tvalue',
    ];
    await runExec(context, host, args, { HF_TOKEN: token, AWS_SECRET_ACCESS_KEY: 'k'.repeat(40) });
    const directory = sessionDirectory(host);
    const written = readText(directory, 'session.json') + readText(directory, 'result.json');
    expect(written).not.toMatch(/hf_x1|s3cr3tvalue|AWS_SECRET|kkkk/);
    expect(readJson(directory, 'session.json')).toMatchObject({
      exec: { environment: { HF_TOKEN: '[redacted]' } },
    });
  });

  test('names the commit, and whether files differ from it', async (context) => {
    const { host } = await place(context);
    const git = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
        cwd: host.base,
        encoding: 'utf8',
      });
    if (git('init', '-q', '-b', 'trunk').error) context.skip('there is no git here');
    writeFileSync(join(host.base, 'train.py'), 'pass\n');
    git('add', 'train.py');
    git('commit', '-qm', 'x');
    const commit = git('rev-parse', 'HEAD').stdout.trim();
    const gitOf = async (id: string) => {
      await runExec(context, host, ['--no-ship', '--id', id, '--', 'true']);
      return readJson(host.folder, id, 'session.json')['exec'];
    };
    expect(await gitOf('clean')).toMatchObject({ git: { commit, branch: 'trunk', dirty: false } });
    writeFileSync(join(host.base, 'train.py'), 'changed\n');
    expect(await gitOf('dirty')).toMatchObject({ git: { commit, branch: 'trunk', dirty: true } });
  });

  test('a session.json that is there stays, and the result of an earlier run is kept beside the new one', async (context) => {
    const { host, destination } = await place(context);
    const directory = join(host.base, 'mine');
    mkdirSync(directory);
    const own = '{"id": "mine-1",  "config": {"epochs": 3}}';
    writeFileSync(join(directory, 'session.json'), own);
    writeFileSync(join(directory, 'result.json'), '{"status": "completed", "metrics": {"loss": 1}}');
    const ended = await runExec(context, host, ['--dir', 'mine', ...bash('echo again; exit 2')]);
    expect(ended.code, ended.stderr).toBe(2);
    expect(readText(directory, 'session.json')).toBe(own);
    expect(readJson(directory, 'result.1.json')).toMatchObject({ metrics: { loss: 1 } });
    expect(readJson(directory, 'result.json')).toMatchObject({
      status: 'failed',
      exec: { command: ['bash', '-c', 'echo again; exit 2'] },
    });
    const log = await onlyLog(destination);
    expect(log).toMatchObject({ session: { id: 'mine-1', status: 'failed' }, config: { epochs: 3 } });
    expect(log.companions.map(({ path }) => path)).toContain('result.1.json');
  });

  test('of two commands in one directory the first is the session, the other ends nothing', async (context) => {
    const { host } = await place(context);
    const first = startExec(context, host, [
      '--no-ship',
      '--id',
      's',
      ...bash('echo ready; read line; exit 4'),
    ]);
    await first.said(/ready/);
    const second = await runExec(context, host, ['--no-ship', '--id', 's', ...bash('echo beside')]);
    expect(second).toMatchObject({ code: 0, signal: null });
    expect(second.stdout.toString()).toBe('beside\n');
    expect(second.stderr).toMatch(/process \d+ has a session in .*: this command is a part of it/);
    const pid = /stdout\.(\d+)\.log/.exec(second.stderr)?.[1];
    expect(readText(host.folder, 's', `stdout.${pid}.log`)).toBe('beside\n');
    expect(existsSync(join(host.folder, 's', 'result.json'))).toBe(false);
    expect(readText(host.folder, 's', 'stdout.log')).toBe('ready\n');
    first.child.stdin?.end();
    expect(await first.ended).toMatchObject({ code: 4 });
    expect(readJson(host.folder, 's', 'result.json')).toMatchObject({ status: 'failed', exitCode: 4 });
    const third = await runExec(context, host, ['--no-ship', '--id', 's', ...bash('echo again')]);
    expect(third.stderr).not.toContain('a part of it');
    expect(readJson(host.folder, 's', 'result.json')).toMatchObject({ status: 'completed' });
  });

  test('of commands that begin in one directory at once one is the session', async (context) => {
    const { host } = await place(context);
    const commands = ['a', 'b', 'c'].map((name) =>
      startExec(context, host, ['--no-ship', '--id', 's', ...bash(`echo ${name} runs; read line`)]),
    );
    for (const { said } of commands) await said(/runs/);
    expect(commands.filter((one) => one.stderr().includes('a part of it'))).toHaveLength(2);
    for (const { child, ended } of commands) {
      child.stdin?.end();
      await ended;
    }
    expect(readJson(host.folder, 's', 'result.json')).toMatchObject({ status: 'failed', exitCode: 1 });
  });

  test('a result that the command writes itself stays, unless how the command ended contradicts it', async (context) => {
    const { host } = await place(context);
    const write = `echo '{"status": "completed", "metrics": {"loss": 0.5}}' > "$TRAINLOGD_SESSION_DIR/result.json"`;
    await runExec(context, host, ['--no-ship', '--id', 'good', ...bash(write)]);
    expect(readJson(host.folder, 'good', 'result.json')).toEqual({
      status: 'completed',
      metrics: { loss: 0.5 },
    });
    await runExec(context, host, ['--no-ship', '--id', 'bad', ...bash(`${write}; exit 9`)]);
    expect(readJson(host.folder, 'bad', 'result.json')).toMatchObject({
      status: 'failed',
      exitCode: 9,
      metrics: { loss: 0.5 },
    });
    expect(readJson(host.folder, 'bad', 'result.1.json')).toEqual({
      status: 'completed',
      metrics: { loss: 0.5 },
    });
  });

  test('of several processes the first is the session, the others add their output', async (context) => {
    const { host, destination } = await place(context);
    const args = ['--id', 'many', ...bash('echo "rank $RANK"; echo err >&2')];
    for (const rank of ['2', '1', '0'])
      expect((await runExec(context, host, args, { RANK: rank, WORLD_SIZE: '3' })).code).toBe(0);
    const directory = join(host.folder, 'many');
    expect(readdirSync(directory).sort()).toEqual([
      'ranks',
      'result.json',
      'session.json',
      'session.pid',
      'stderr.log',
      'stdout.log',
    ]);
    expect(readText(directory, 'ranks/2.log').split('\n').sort()).toEqual(['', 'err', 'rank 2']);
    const log = await onlyLog(destination);
    expect(log.companions.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['ranks/1.log', 'ranks/2.log', 'stdout.log']),
    );
  });

  test('a launcher’s processes find the session around them', async (context) => {
    const { host } = await place(context);
    const inner = `for rank in 0 1; do RANK=$rank ${trainlogdWords} exec -- echo "inner $rank"; done`;
    const ended = await runExec(context, host, ['--no-ship', ...bash(inner)]);
    expect(ended.stdout.toString()).toBe('inner 0\ninner 1\n');
    const directory = sessionDirectory(host);
    expect(readText(directory, 'ranks/0.log')).toBe('inner 0\n');
    expect(readText(directory, 'ranks/1.log')).toBe('inner 1\n');
  });

  test('--no-capture leaves the output to the command alone', async (context) => {
    const { host } = await place(context);
    const ended = await runExec(context, host, ['--no-ship', '--no-capture', '--', 'echo', 'hi']);
    expect(ended.stdout.toString()).toBe('hi\n');
    expect(readdirSync(sessionDirectory(host)).sort()).toEqual([
      'result.json',
      'session.json',
      'session.pid',
    ]);
  });

  test('a log that the disk cannot take is given up, not the command', async (context) => {
    const { host } = await place(context);
    const disk = mountSmallDisk(context, join(host.base, 'small'), 'size=1m');
    const script = 'head -c 600000 /dev/zero; sleep 0.2; head -c 3000000 /dev/zero; echo end';
    const ended = await runExec(context, host, [
      '--no-ship',
      '--dir',
      join(disk.path, 'run'),
      ...bash(script),
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout.length).toBe(3_600_004);
    expect(ended.stderr.match(/stdout\.log": ENOSPC; the command goes on/g)).toHaveLength(1);
  });

  test('a directory that cannot be made is said, and the command runs without it', async (context) => {
    const { host } = await place(context);
    writeFileSync(join(host.base, 'file'), '');
    const ended = await runExec(context, host, ['--dir', 'file/below', '--', 'echo', 'hi']);
    expect(ended.code).toBe(0);
    expect(ended.stdout.toString()).toBe('hi\n');
    expect(ended.stderr).toMatch(
      /making the session's directory ".*file\/below": ENOTDIR; the command runs without it/,
    );
  });

  test('what it cannot say keeps no command from running either', async (context) => {
    const { host } = await place(context);
    const disk = mountSmallDisk(context, join(host.base, 'full'), 'size=1m');
    disk.fill();
    // Its log cannot be written, and neither can the line that says so.
    const exec = `${trainlogdWords} exec --no-ship --dir full/run -- bash -c 'echo a; echo b > ran'`;
    const ended = spawnSync('bash', ['-c', `${exec} > full/out 2> full/err`], {
      cwd: host.base,
      env: host.env,
    });
    expect(ended.status).toBe(0);
    expect(readText(host.base, 'ran')).toBe('b\n');
  });

  test('a state directory that another program holds without an answer is left to it', async (context) => {
    const { host, destination } = await place(context);
    const holder = { pid: process.pid, host: 'here', folder: host.folder, startedAt: '2026-01-01T00:00:00Z' };
    const journal = openJournal(host.state, holder);
    const ended = await runExec(context, host, ['--id', 'held', '--', 'true']).finally(() => journal.close());
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/left to another trainlogd, which holds the state directory\n$/);
    expect((await run(context, host, ['drain'])).code).toBe(0);
    expect((await onlyLog(destination)).session.id).toBe('held');
  });

  test('no bucket keeps no command from running', async (context) => {
    const host = await makeHost(context, {}, { ...quick, S3_BUCKETNAME: 'typo' });
    const ended = await runExec(context, host, ['--', 'echo', 'hi']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/nothing is shipped[\s\S]*no bucket is named: set S3_BUCKET_NAME/);
    expect(readJson(sessionDirectory(host), 'result.json')).toMatchObject({ status: 'completed' });
  });

  test('a daemon that ships the folder is left to do so', async (context) => {
    const { host, destination } = await place(context);
    const daemon = start(context, host, ['run'], { TRAINLOGD_LOG_FORMAT: 'json' });
    await daemon.event('daemon.started');
    const ended = await runExec(context, host, ['--id', 'left', '--', 'echo', 'hi']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe(
      `trainlogd: the session is left to process ${daemon.pid} on ${hostName()}, which ships "${host.folder}"\n`,
    );
    await daemon.event(
      'session.shipped',
      ({ session, status }) => session === 'left' && status === 'completed',
    );
    expect((await onlyLog(destination)).session.id).toBe('left');
  });

  test('a directory elsewhere is shipped also where a daemon of another folder has the state directory', async (context) => {
    const { host, destination } = await place(context);
    const daemon = start(context, host, ['run'], { TRAINLOGD_LOG_FORMAT: 'json' });
    await daemon.event('daemon.started');
    const ended = await runExec(context, host, ['--dir', join(host.base, 'elsewhere'), '--', 'echo', 'hi']);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect((await onlyLog(destination)).session.status).toBe('completed');
  });

  test('what is not there when shipping is given up is named last, and the next start goes on', async (context) => {
    const { host, destination } = await place(context);
    writeFileSync(destination, 'a file where the destination is to be');
    const running = startExec(context, host, ['--id', 'stuck', '--', 'echo', 'hi']);
    await eventually(() => readJson(host.folder, 'stuck', 'result.json'));
    running.child.kill('SIGTERM');
    const { code, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/unsent: .*stuck/);
    spawnSync('rm', [destination]);
    expect((await run(context, host, ['drain'])).code).toBe(0);
    expect((await onlyLog(destination)).session).toMatchObject({ id: 'stuck', status: 'completed' });
  });

  test('killed, its command’s session is interrupted, and what ships it ends by itself', async (context) => {
    const { host, destination } = await place(context);
    const running = startExec(context, host, ['--id', 'lost', ...bash('echo $$; exec sleep 600')], {
      TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: '1s',
    });
    const [, pid] = await running.said(/^(\d+)\n/);
    const shipped = () => shippedLogs(destination).then((logs) => logs[0]?.session.status);
    await eventually(async () => (await shipped()) === 'running', { timeoutMs: 20_000 });
    running.child.kill('SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
    await eventually(async () => (await shipped()) === 'interrupted', { timeoutMs: 20_000 });
    await running.ended;
  });
});

async function place(context: Cleanup) {
  const host = await makeHost(context, {}, quick);
  const destination = join(host.base, 'destination');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

function hostName(): string {
  return spawnSync('hostname', { encoding: 'utf8' }).stdout.trim();
}
