import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shippedLogs } from '../support/shipped-folder.ts';
import { type Host, makeHost, run, start, toDirectory } from '../support/trainlogd.ts';

function train(host: Host, name: string): void {
  const directory = join(host.folder, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'session.json'), `{"id":"${name}","startedAt":"2026-01-31T12:00:00Z"}`);
  writeFileSync(join(directory, 'stdout.log'), `${name}\n`);
  writeFileSync(join(directory, '_SUCCESS'), '');
}

test('a journal that tells what is in one bucket is not used for another: no log there would be true', async (context) => {
  const host = await makeHost(context, {});
  const [first, second] = [join(host.base, 'first'), join(host.base, 'second')];
  // What was never shipped to may be corrected.
  const wrong = await run(context, host, ['drain'], toDirectory(join(host.base, 'misspelt')));
  expect(wrong.code).toBe(0);
  train(host, 'one');
  expect((await run(context, host, ['drain'], toDirectory(first))).code).toBe(0);

  const refused = await run(context, host, ['drain'], toDirectory(second));
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`for file://${second}: it tells what is in file://${first}`);
  expect(refused.stderr).toContain('name another state.directory');
  expect(await shippedLogs(second)).toEqual([]);

  // The same directory by another way.
  symlinkSync(first, join(host.base, 'link'));
  const linked = await run(context, host, ['drain'], toDirectory(join(host.base, 'link')));
  expect(linked.code, linked.stderr).toBe(0);

  const anew = { ...toDirectory(second), TRAINLOGD_STATE_DIRECTORY: join(host.base, 'second-state') };
  expect((await run(context, host, ['drain'], anew)).code).toBe(0);
  expect((await shippedLogs(second)).map(({ session, missing }) => [session.id, missing])).toEqual([
    ['one', []],
  ]);
  train(host, 'two');
  expect((await run(context, host, ['drain'], toDirectory(first))).code).toBe(0);
  expect((await shippedLogs(first)).map(({ session }) => session.id)).toEqual(['one', 'two']);
});

test('nor does a running one go over to it', async (context) => {
  const host = await makeHost(context, {});
  const [first, second] = [join(host.base, 'first'), join(host.base, 'second')];
  const file = join(host.base, 'config.yaml');
  const configure = (path: string) => writeFileSync(file, `destination: { url: "file://${path}" }\n`);
  configure(first);
  const daemon = start(context, host, ['run', '--config', file]);
  train(host, 'one');
  await daemon.event('session.shipped');
  configure(second);
  daemon.signal('SIGHUP');
  const rejected = await daemon.event('config.rejected');
  expect(rejected.problems[0]).toContain(`it tells what is in file://${first}`);
  train(host, 'two');
  await daemon.event('session.shipped', ({ session }) => session === 'two');
  expect((await daemon.stop()).code).toBe(0);
  expect((await shippedLogs(first)).map(({ session }) => session.id)).toEqual(['one', 'two']);
});
