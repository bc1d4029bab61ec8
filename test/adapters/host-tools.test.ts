import { access, chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createHostTools, type HostToolLimits } from '../../src/adapters/host-tools.ts';
import { createProcessTable } from '../../src/adapters/proc-table.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { eventually } from '../support/eventually.ts';
import { scriptedHttp } from '../support/scripted-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function toolsIn(directory: string, limits: Partial<HostToolLimits> = {}) {
  const path = `${directory}:/usr/bin:/bin`;
  return createHostTools({ clock: systemClock, hostName: 'node-1', path, limits });
}

/** A program of that name, in a directory of its own. */
async function program(script: string): Promise<string> {
  const directory = await mkdtemp(join(await temporaryDirectory(), 'bin-'));
  await writeFile(join(directory, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, 'nvidia-smi'), 0o755);
  return directory;
}

describe('run()', () => {
  test('gives what a program says, with its arguments as they are', async () => {
    const tools = toolsIn(await program('printf "%s|" "$@"'));
    expect(await tools.run('nvidia-smi', ['--query-gpu=index, name', '$(id)'])).toBe(
      '--query-gpu=index, name|$(id)|',
    );
  });

  test('hands on no variable of ours', async () => {
    const tools = toolsIn(await program('env'));
    const names = (await tools.run('nvidia-smi', []))?.match(/^\w+(?==)/gm) ?? [];
    // PWD, SHLVL, _ are the shell's own.
    expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name)).toSorted()).toEqual([
      'LC_ALL',
      'PATH',
    ]);
  });

  test('of a program that is not there, fails, or is killed says nothing', async () => {
    expect(await toolsIn(await temporaryDirectory()).run('nvidia-smi-not-there', [])).toBeUndefined();
    expect(await toolsIn(await program('echo index; exit 9')).run('nvidia-smi', [])).toBeUndefined();
    expect(await toolsIn(await program('echo index; kill -9 $$')).run('nvidia-smi', [])).toBeUndefined();
  });

  test('ends a program that hangs', async () => {
    const directory = await temporaryDirectory();
    const pidFile = join(directory, 'pid');
    const script = `echo $$ > ${pidFile}; echo index; exec sleep 1000`;
    const pidOf = async () => Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    // Its time is up once it hangs.
    const sleep = async () => void (await eventually(async () => (await pidOf()) > 0));
    const path = `${await program(script)}:/usr/bin:/bin`;
    const tools = createHostTools({ clock: { ...systemClock, sleep }, hostName: 'node-1', path });
    expect(await tools.run('nvidia-smi', [])).toBeUndefined();
    const pid = await pidOf();
    expect(pid).toBeGreaterThan(1);
    await eventually(async () => (await createProcessTable().identify(pid)) === undefined);
  });

  test('ends a program that never stops talking', async () => {
    const tools = toolsIn(await program('exec yes index'), { runMs: 60_000 });
    expect(await tools.run('nvidia-smi', [])).toBeUndefined();
  });

  test('starts no second one beside one that is not done', async () => {
    const directory = await temporaryDirectory();
    const [started, go] = [join(directory, 'started'), join(directory, 'go')];
    const script = `echo x >> ${started}; until [ -e ${go} ]; do sleep 0.05; done; echo done`;
    const tools = toolsIn(await program(script), { runMs: 60_000 });
    const first = tools.run('nvidia-smi', []);
    expect(await tools.run('nvidia-smi', [])).toBeUndefined();
    await eventually(
      async () =>
        await access(started).then(
          () => true,
          () => false,
        ),
    );
    await writeFile(go, '');
    expect(await first).toBe('done\n');
    expect(await readFile(started, 'utf8')).toBe('x\n');
    expect(await tools.run('nvidia-smi', [])).toBe('done\n');
  });
});

describe('read()', () => {
  test('gives the beginning of a file', async () => {
    const path = join(await temporaryDirectory(), 'sys_vendor');
    await writeFile(path, `Amazon EC2\n${'x'.repeat(100_000)}`);
    const text = await toolsIn('/nowhere').read(path);
    expect(text).toMatch(/^Amazon EC2\nx+$/);
    expect(text).toHaveLength(4096);
  });

  test('of what is not there or is no file says nothing', async () => {
    expect(await toolsIn('/nowhere').read('/nowhere/sys_vendor')).toBeUndefined();
    expect(await toolsIn('/nowhere').read('/tmp')).toBeUndefined();
  });
});

describe('request()', () => {
  const get = (url: string) => ({ method: 'GET', url, headers: { authorization: 'Bearer secret' } }) as const;
  const tools = toolsIn('/nowhere', { requestMs: 20_000 });

  test('gives status and body', async () => {
    const { base, seen } = await scriptedHttp({ 'GET /v1': '{"a":1}' });
    expect(await tools.request(get(`${base}/v1`))).toEqual({ status: 200, body: '{"a":1}' });
    expect(await tools.request(get(`${base}/v2`))).toMatchObject({ status: 404 });
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1', 'GET /v2']);
    expect(seen[0]?.headers.authorization).toBe('Bearer secret');
  });

  test('follows no redirect', async () => {
    const other = await scriptedHttp({ 'GET /': 'never asked' });
    const { base } = await scriptedHttp({
      'GET /': (response) => response.writeHead(302, { location: other.base }).end('moved'),
    });
    expect(await tools.request(get(`${base}/`))).toEqual({ status: 302, body: 'moved' });
    expect(other.seen).toEqual([]);
  });

  test('gives up on a server that does not answer, or not to the end', async () => {
    const { base } = await scriptedHttp({
      'GET /silent': () => {},
      'GET /slow': (response) => void response.writeHead(200).write('{'),
    });
    const late = { problem: 'no answer within 300 ms' };
    const tools = toolsIn('/nowhere', { requestMs: 300 });
    expect(
      await Promise.all([tools.request(get(`${base}/silent`)), tools.request(get(`${base}/slow`))]),
    ).toEqual([late, late]);
  });

  test('takes no more of an answer than a bound', async () => {
    const { base } = await scriptedHttp({ 'GET /': 'x'.repeat(300 * 1024) });
    expect(await tools.request(get(`${base}/`))).toEqual({
      problem: 'it answers with more than 262144 bytes',
    });
  });

  test('says when nobody is there, or the answer breaks off', async () => {
    const { base } = await scriptedHttp({ 'GET /': (_, request) => request.socket.destroy() });
    expect(await tools.request(get(`${base}/`))).toEqual({ problem: 'no answer, ECONNRESET' });
    expect(await tools.request(get('http://127.0.0.1:1/'))).toEqual({ problem: 'no answer, ECONNREFUSED' });
  });

  test.each([
    'http://example.com/',
    'http://10.0.0.1/',
    'http://169.254.169.254.example.com/',
    'http://127.example.com/',
    'http://[2001:db8::1]/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
  ])('sends nothing to %s', async (url) => {
    expect(await tools.request(get(url))).toEqual({
      problem: 'without TLS only the metadata service of a cloud is asked',
    });
  });
});
