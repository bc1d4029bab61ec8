import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { errnoOf, meansVanished } from '../adapters/errno.ts';
import { isIgnoredName } from '../domain/watched-path.ts';

export interface Walked {
  directories: number;
  files: number;
  /** Files that belong to another user and that this one may not write, which is what a claim needs. */
  foreign: number;
  unreadable: number;
  /** Some of them, with the system's code. */
  readonly examples: string[];
  /** There was more than was looked at. */
  isCut: boolean;
}

const directoriesMax = 20_000;
const filesMax = 5_000;
const examplesMax = 3;

/**
 * Opens what the agent would open, and reads nothing. Links are not followed; what is ignored or special is left alone.
 */
export async function walkFolder(folder: string, ownUid: number, signal: AbortSignal): Promise<Walked> {
  const walked: Walked = {
    directories: 0,
    files: 0,
    foreign: 0,
    unreadable: 0,
    examples: [],
    isCut: false,
  };
  const waiting = [''];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (signal.aborted || walked.directories >= directoriesMax) {
      walked.isCut = true;
      return walked;
    }
    walked.directories += 1;
    waiting.push(...(await enter(folder, at, { walked, ownUid, signal })));
  }
  return walked;
}

interface Walk {
  readonly walked: Walked;
  readonly ownUid: number;
  readonly signal: AbortSignal;
}

/** Gives the directories in it. */
async function enter(folder: string, at: string, walk: Walk): Promise<string[]> {
  const entries = await children(`${folder}/${at}`, at, walk.walked);
  const below = (entry: Dirent) => (at === '' ? entry.name : `${at}/${entry.name}`);
  for (const entry of entries.filter((one) => one.isFile())) {
    if (walk.signal.aborted || walk.walked.files >= filesMax) {
      walk.walked.isCut = true;
      break;
    }
    await touch(`${folder}/${below(entry)}`, below(entry), walk);
  }
  return entries.filter((entry) => entry.isDirectory()).map(below);
}

async function children(path: string, at: string, walked: Walked): Promise<Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter(({ name }) => !isIgnoredName(name));
  } catch (error) {
    note(error, `${at}/`, walked);
    return [];
  }
}

/** Not asked of access(2): it knows nothing of capabilities. */
async function touch(path: string, at: string, { walked, ownUid }: Walk): Promise<void> {
  walked.files += 1;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const { uid, mode } = await file.stat();
      if (uid !== ownUid && (mode & 0o006) !== 0o006) walked.foreign += 1;
    } finally {
      await file.close();
    }
  } catch (error) {
    note(error, at, walked);
  }
}

function note(error: unknown, at: string, walked: Walked): void {
  const code = errnoOf(error);
  if (meansVanished(code)) return;
  walked.unreadable += 1;
  if (walked.examples.length < examplesMax) walked.examples.push(`${JSON.stringify(at)}: ${code}`);
}
