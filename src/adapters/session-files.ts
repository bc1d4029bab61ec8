import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { errnoOf } from './errno.ts';

/**
 * Files of a session directory that is not ours alone. Each is written under a name that begins with a dot, synced, and
 * then shown by one step: a link where nothing may be replaced, a rename where it may. All throw the system's error.
 */

/** False when something has that name already: that stays. */
export async function createFile(directory: string, name: string, text: string): Promise<boolean> {
  const path = join(directory, name);
  const temporary = await writeTemporary(directory, name, text);
  try {
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    // No hard links here: made under its own name, where nothing has it.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error))) throw error;
    if (!(await createInPlace(path, text))) return false;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
  return true;
}

export async function replaceFile(directory: string, name: string, text: string): Promise<void> {
  const temporary = await writeTemporary(directory, name, text);
  try {
    await rename(temporary, join(directory, name));
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
}

/** `''` where there is none; undefined where something else has the name: a FIFO would keep its reader for ever. */
export async function readShortText(directory: string, name: string): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const file = await open(join(directory, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      return stat.isFile() && stat.size <= 64 ? await file.readFile('latin1') : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? '' : undefined;
  }
}

/** When it was last written; undefined where it is not there. */
export async function writtenAtMs(directory: string, name: string): Promise<number | undefined> {
  try {
    return (await lstat(join(directory, name))).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const asideMax = 1000;

/** `result.json` becomes `result.1.json`, or the first number that is free. Undefined: there was none. */
export async function moveAside(directory: string, name: string): Promise<string | undefined> {
  const dot = name.lastIndexOf('.');
  const path = join(directory, name);
  for (let number = 1; number <= asideMax; number++) {
    const aside = `${name.slice(0, dot)}.${number}${name.slice(dot)}`;
    try {
      // Taking the name first: a rename would replace what is there.
      await (await open(join(directory, aside), 'wx')).close();
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue;
      throw error;
    }
    try {
      await rename(path, join(directory, aside));
    } catch (error) {
      await rm(join(directory, aside), { force: true });
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    await syncDirectory(directory);
    return aside;
  }
  throw Object.assign(new Error(`${asideMax} files like ${JSON.stringify(name)} are there`), {
    code: 'EEXIST',
  });
}

const documentBytesMax = 1024 * 1024;

/** What a file holds: `'absent'`, or undefined where it is no object of JSON, too long, or not to be read. */
export async function readDocument(
  directory: string,
  name: string,
): Promise<JsonObject | 'absent' | undefined> {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(join(directory, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > documentBytesMax) return undefined;
      const value = JSON.parse(await file.readFile('utf8')) as JsonValue;
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? 'absent' : undefined;
  }
}

async function writeTemporary(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, `.${name}.${randomUUID()}.tmp`);
  try {
    await write(path, text);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return path;
}

async function createInPlace(path: string, text: string): Promise<boolean> {
  try {
    await write(path, text);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot.
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(errnoOf(error))) throw error;
  } finally {
    await handle.close();
  }
}
