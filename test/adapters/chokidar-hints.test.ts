import type { EventEmitter } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { watch } from 'chokidar';
import { expect, onTestFinished, test } from 'vitest';
import { ChokidarHints, type WatchMode } from '../../src/adapters/chokidar-hints.ts';
import type { watchTop } from '../../src/adapters/top-watch.ts';
import { pathFromBytes } from '../../src/domain/watched-path.ts';
import { eventually } from '../support/eventually.ts';
import { realFolder } from '../support/real-folder.ts';

/** Records what is watched by which path; errors can be put in. */
function recordingWatch() {
  const open: string[] = [];
  const asked: { usePolling?: boolean | undefined; depth?: number | undefined }[] = [];
  const watchers: EventEmitter[] = [];
  const fake: typeof watch = (path, options) => {
    const watcher = watch([], options ?? {});
    const close = watcher.close.bind(watcher);
    open.push(String(path));
    asked.push({ usePolling: options?.usePolling, depth: options?.depth });
    watchers.push(watcher);
    watcher.close = () => {
      open.splice(open.indexOf(String(path)), 1);
      return close();
    };
    return watcher;
  };
  const top: typeof watchTop = (directory) => {
    open.push(directory);
    return { close: () => void open.splice(open.indexOf(directory), 1) };
  };
  return { fake, top, open, asked, watchers };
}

async function hintsOf(mode: WatchMode) {
  const recorded = recordingWatch();
  const problems: { code: string; remedy: string }[] = [];
  const hints = new ChokidarHints({
    onHint: () => undefined,
    onDegraded: (problem) => problems.push(problem),
    watch: recorded.fake,
    watchTop: recorded.top,
  });
  onTestFinished(() => hints.close());
  await hints.attach('/folder', mode);
  return { hints, problems, ...recorded };
}

test('the top level and the roots that were asked for are watched, and no others', async () => {
  const { hints, open, asked } = await hintsOf('inotify');
  hints.watch(new Set(['a', 'b']));
  expect(open).toEqual(['/folder', '/folder/a', '/folder/b']);
  expect(asked.map(({ depth }) => depth)).toEqual([undefined, undefined]);
  hints.watch(new Set(['b', 'c/d']));
  expect(open).toEqual(['/folder', '/folder/b', '/folder/c/d']);
  await hints.attach('/elsewhere', 'inotify');
  expect(open).toEqual(['/elsewhere', '/elsewhere/b', '/elsewhere/c/d']);
  await hints.detach();
  expect(open).toEqual([]);
});

test('nothing is watched after closing, whatever was still under way', async () => {
  const { hints, open } = await hintsOf('inotify');
  const attaching = hints.attach('/elsewhere', 'inotify');
  await hints.close();
  await attaching;
  hints.watch(new Set(['a']));
  expect(open).toEqual([]);
});

test('nothing is watched on a network file system, and polling is polling', async () => {
  const off = await hintsOf('off');
  off.hints.watch(new Set(['a']));
  expect(off.open).toEqual([]);
  const polling = await hintsOf('polling');
  polling.hints.watch(new Set(['a']));
  expect(polling.asked.map(({ usePolling }) => usePolling)).toEqual([true, true]);
});

test.each([
  ['ENOSPC', 'fs.inotify.max_user_watches'],
  ['EMFILE', 'fs.inotify.max_user_instances'],
])(
  'at the system limit %s every watcher is closed, a person is told once, and no new one is opened',
  async (code, sysctl) => {
    const { hints, problems, open, watchers } = await hintsOf('inotify');
    hints.watch(new Set(['a', 'b']));
    const limit = Object.assign(new Error(code), { code });
    for (const watcher of watchers) watcher.emit('error', limit);
    await eventually(() => open.length === 0);
    hints.watch(new Set(['c']));
    await hints.attach('/folder', 'inotify');
    expect(open).toEqual([]);
    expect(problems).toMatchObject([{ code, remedy: expect.stringContaining(sysctl) }]);
  },
);

test('any other error of a watcher changes nothing', async () => {
  const { hints, problems, open, watchers } = await hintsOf('inotify');
  hints.watch(new Set(['a']));
  for (const code of ['EACCES', 'EIO', 'UNKNOWN'])
    watchers[0]?.emit('error', Object.assign(new Error(code), { code }));
  watchers[0]?.emit('error', 'not even an error');
  expect(open).toEqual(['/folder', '/folder/a']);
  expect(problems).toEqual([]);
});

test('what happens straight in the folder is told by its name, whatever its bytes are', async () => {
  const folder = await realFolder();
  onTestFinished(() => folder.source.close());
  const hinted = new Set<string>();
  folder.source.onHint((path) => hinted.add(path));
  await folder.source.state();
  const bad = pathFromBytes(Buffer.from([0x62, 0xff]));
  await folder.mkdir('new');
  await folder.write('one.json', '{}');
  await folder.write(bad, 'x');
  await folder.write('.ignored', 'x');
  await folder.write('last.json', '{}');
  await eventually(() => hinted.has('last.json'));
  expect(hinted).toEqual(new Set(['new', 'one.json', bad, 'last.json']));
  hinted.clear();
  await folder.append('one.json', ' ');
  await rm(folder.at('new').toString(), { recursive: true });
  await eventually(() => hinted.has('one.json') && hinted.has('new'));
});

test('a change of a file whose name is not UTF-8 hints at its directory', async () => {
  const folder = await realFolder();
  onTestFinished(() => folder.source.close());
  await folder.mkdir('s/sub');
  const hinted: string[] = [];
  folder.source.onHint((path) => hinted.push(path));
  folder.source.watch(new Set(['s']));
  await folder.source.state();
  const bad = pathFromBytes(Buffer.from([0x62, 0xff]));
  await eventually(async () => {
    await folder.write(`s/sub/${bad}`, 'x');
    return hinted.includes('s/sub');
  });
});

test('a root that was removed and made again is watched again when it is asked for again', async () => {
  const folder = await realFolder();
  onTestFinished(() => folder.source.close());
  await folder.write('s/f', 'x');
  const hinted = new Set<string>();
  folder.source.onHint((path) => hinted.add(path));
  folder.source.watch(new Set(['s']));
  await folder.source.state();
  const heard = (path: string) =>
    eventually(async () => {
      folder.source.watch(new Set(['s']));
      await folder.append(path, 'y');
      return hinted.has(path);
    });
  await heard('s/f');
  hinted.clear();
  await rm(folder.at('s').toString(), { recursive: true });
  await eventually(() => hinted.has('s'));
  await mkdir(folder.at('s'));
  await folder.write('s/again', 'x');
  await heard('s/again');
});

test('ignored names give no hint, whatever the path of the folder itself looks like', async () => {
  const folder = await realFolder();
  const hidden = `${folder.directory}/.local/out.tmp`;
  await mkdir(hidden, { recursive: true });
  const hinted = new Set<string>();
  const hints = new ChokidarHints({ onHint: (path) => hinted.add(path), onDegraded: () => undefined });
  onTestFinished(() => hints.close());
  await hints.attach(hidden, 'inotify');
  await eventually(async () => {
    await folder.write('.local/out.tmp/ignored.tmp', 'x');
    await folder.write('.local/out.tmp/.ignored', 'x');
    await folder.write('.local/out.tmp/seen', String(performance.now()));
    return hinted.has('seen');
  });
  // '' is said once: from now on it is watched.
  expect([...hinted].filter((path) => path !== '')).toEqual(['seen']);
});
