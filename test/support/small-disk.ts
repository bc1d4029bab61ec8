import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Cleanup } from './trainlogd.ts';

type Context = Cleanup & Pick<TestContext, 'skip'>;

/** A file system of its own below a directory that is made for it; gone after the test. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves no room, or so many bytes. */
  fill(leaveBytes?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
  remount(options: string): void;
}

/** A tmpfs: `options` are those of mount(8). Skips the test where it may not be mounted. */
export function mountSmallDisk(context: Context, path: string, options: string): SmallDisk {
  mkdirSync(path, { recursive: true });
  mountOrSkip(context, ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  return diskAt(path);
}

/** An ext4 in an image file, which unlike tmpfs can be stopped by an error under open files. */
export function mountExt4(context: Context, path: string, image: string, megabytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  writeFileSync(image, Buffer.alloc(megabytes * 1024 * 1024));
  const made = spawnSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  if (made.status !== 0) context.skip('there is no mkfs.ext4 here');
  mountOrSkip(context, ['-o', 'loop,errors=remount-ro', image, path]);
  return diskAt(path);
}

function mountOrSkip(context: Context, args: readonly string[]): void {
  if (process.getuid?.() !== 0) context.skip('only root can mount a small file system');
  const mounted = spawnSync('mount', args, { encoding: 'utf8' });
  if (mounted.status !== 0) context.skip(`a small file system cannot be mounted here: ${mounted.stderr}`);
  context.onTestFinished(() => void spawnSync('umount', ['-l', args.at(-1) ?? '']));
}

function diskAt(path: string): SmallDisk {
  const filler = join(path, '.filler');
  return {
    path,
    fill: (leaveBytes = 0) => {
      const { bavail, bsize } = statfsSync(path);
      const count = Math.max(0, Math.floor((bavail * bsize - leaveBytes) / 4096));
      // More than there is: dd writes until there is no room.
      const blocks = leaveBytes === 0 ? count + 64 : count;
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096', `count=${blocks}`]);
    },
    free: () => void spawnSync('rm', ['-f', filler]),
    remount: (options) => {
      const ran = spawnSync('mount', ['-o', `remount,${options}`, path], { encoding: 'utf8' });
      if (ran.status !== 0) throw new Error(`remounting ${path}: ${ran.stderr}`);
    },
  };
}
