import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from './errno.ts';

export interface FoundGitState {
  readonly commit: string;
  readonly branch?: string;
  readonly dirty?: boolean;
}

const levelsMax = 64;
const fileBytesMax = 4 * 1024 * 1024;
const gitTimeoutMs = 1000;
const outputBytesMax = 64 * 1024;
const hash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The commit that a directory is at, read from `.git` itself (gitrepository-layout(5)): that works without git, and in a
 * repository that git refuses because another user owns it. Whether files differ only git knows; it gets a second.
 * Undefined outside of a repository, and where it cannot be read. Never throws.
 */
export async function gitState(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FoundGitState | undefined> {
  try {
    const directory = gitDirectoryOf(cwd);
    const head = directory === undefined ? undefined : readHead(directory);
    if (head === undefined) return undefined;
    const dirty = await isDirty(cwd, env);
    return { ...head, ...(dirty !== undefined && { dirty }) };
  } catch {
    return undefined; // reason: a commit is worth no failed start
  }
}

function gitDirectoryOf(cwd: string): string | undefined {
  let at = cwd;
  for (let level = 0; level < levelsMax; level++) {
    const path = join(at, '.git');
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return path;
    // Worktrees and submodules have a file that names the directory.
    if (stat?.isFile()) {
      const named = /^gitdir: (.+)$/m.exec(text(path) ?? '')?.[1];
      return named === undefined ? undefined : resolve(at, named);
    }
    if (dirname(at) === at) return undefined;
    at = dirname(at);
  }
  return undefined;
}

function readHead(directory: string): { commit: string; branch?: string } | undefined {
  const head = text(join(directory, 'HEAD'))?.trim() ?? '';
  if (hash.test(head)) return { commit: head };
  const ref = /^ref: (refs\/[^\s]{1,1000})$/.exec(head)?.[1];
  if (ref === undefined || ref.includes('..')) return undefined;
  const common = resolve(directory, text(join(directory, 'commondir'))?.trim() ?? '.');
  const loose = text(join(common, ref))?.trim();
  const commit = loose !== undefined && hash.test(loose) ? loose : packed(common, ref);
  return commit === undefined ? undefined : { commit, branch: ref.replace(/^refs\/heads\//, '') };
}

function packed(directory: string, ref: string): string | undefined {
  const lines = (text(join(directory, 'packed-refs')) ?? '').split('\n');
  const commit = lines.find((line) => line.endsWith(` ${ref}`))?.split(' ')[0];
  return commit !== undefined && hash.test(commit) ? commit : undefined;
}

function text(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() && stat.size <= fileBytesMax ? readFileSync(path, 'utf8') : undefined;
}

/** Tracked files only: outputs lie in many repositories without being part of them. */
function isDirty(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean | undefined> {
  const args = ['-c', 'core.fsmonitor=false', 'status', '--porcelain', '--untracked-files=no'];
  const quiet = { ...env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
  return new Promise((done) => {
    const options = { cwd, env: quiet, timeout: gitTimeoutMs, maxBuffer: outputBytesMax };
    execFile('git', args, { ...options, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error && errnoOf(error) !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') done(undefined);
      else done(stdout.trim() !== '');
    });
  });
}
