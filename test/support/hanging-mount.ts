import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import type { TestContext } from 'vitest';
import type { Cleanup } from './trainlogd.ts';

const device = '/dev/fuse';

/**
 * A file system whose server never answers, as an NFS without its server: of FUSE, with nobody who reads what the kernel
 * asks. Gone after the test, or by what is returned; skips it where it may not be mounted.
 */
export function hangingMount(context: Cleanup & Pick<TestContext, 'skip'>, path: string): () => void {
  if (process.getuid?.() !== 0) context.skip('only root can mount a file system that hangs');
  if (!existsSync(device)) context.skip('there is no FUSE here');
  mkdirSync(path, { recursive: true });
  const server = openSync(device, 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const args = ['-i', '-t', 'fuse', '-o', options, 'hanging', path];
  const mounted = spawnSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe', server], encoding: 'utf8' });
  let isThere = true;
  const goAway = () => {
    if (!isThere) return;
    isThere = false;
    // Whoever waits is let go by this.
    closeSync(server);
    spawnSync('umount', ['-l', path]);
  };
  context.onTestFinished(goAway);
  if (mounted.status !== 0) context.skip(`a file system that hangs cannot be mounted: ${mounted.stderr}`);
  return goAway;
}
