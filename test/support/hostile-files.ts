import { execFileSync } from 'node:child_process';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { objectBytes, type Place } from './agent.ts';
import { type HostileRow, write } from './hostile.ts';

/** Files that are no plain files with plain names. */
const inHostile = (place: Place, path: string) => join(place.folder, 'hostile', path);
const plain = (place: Place) => write(place, 'hostile/plain.txt', 'plain');

const longName = 'n'.repeat(255);
const deepPath = Array.from({ length: 5 }, () => 'd'.repeat(200)).join('/');

export const hostileFiles: readonly HostileRow[] = [
  {
    name: 'a name of 255 bytes, and a path whose key would be longer than S3 takes',
    make: async (place) => {
      await write(place, `hostile/${longName}`, 'long');
      await write(place, `hostile/${deepPath}`, 'deep');
    },
    companions: [deepPath, longName].sort(),
    log: (log, place) => {
      const deep = log.companions.find(({ path }) => path === deepPath);
      expect(deep?.key).toMatch(/\/\.encoded\/[0-9a-f]{64}$/);
      expect(objectBytes(place, deep?.key ?? '').toString()).toBe('deep');
    },
  },
  {
    name: 'names with a newline, dots, blanks, unicode, a percent sign, and bytes that are no UTF-8',
    make: async (place) => {
      await mkdir(inHostile(place, ''));
      for (const name of ['a\nb', '..c', 'a..b', 'ü 訓練', '%2e%2e%2fx', '-rf', 'q\'uo"te']) {
        await writeFile(inHostile(place, name), name);
      }
      const notUtf8 = Buffer.concat([Buffer.from(`${inHostile(place, '')}/bad-`), Buffer.of(0xff)]);
      await writeFile(notUtf8, 'not UTF-8');
    },
    // `..c` begins with a dot and is ignored, as any such name.
    companions: ['%2e%2e%2fx', '-rf', 'a\nb', 'a..b', 'bad-%FF', 'q\'uo"te', 'ü 訓練'],
    warnings: [/^"bad-%FF" is not UTF-8; its bytes, base64: YmFkLf8=$/],
    log: (log, place) => {
      for (const { path, key } of log.companions) {
        expect(key).not.toMatch(/(^|\/)\.{1,2}(\/|$)|[\n\r]/);
        const text = path === 'bad-%FF' ? 'not UTF-8' : path;
        expect(objectBytes(place, key).toString()).toBe(text);
      }
    },
  },
  {
    name: 'a session directory whose own name has a newline',
    make: async (place) => {
      await plain(place);
      await write(place, 'two\nlines/file.txt', 'text');
    },
    companions: ['plain.txt'],
    told: [/^session two\\u000alines ended: stalled \(drain\)$/],
  },
  {
    name: 'a link to a file of the system, one out of the folder, one to nothing, one to itself',
    make: async (place) => {
      await plain(place);
      await writeFile(join(place.folder, '..', 'outside.txt'), 'out of bounds');
      await symlink('/etc/shadow', inHostile(place, 'shadow'));
      await symlink('../../outside.txt', inHostile(place, 'outside.txt'));
      await symlink('/nonexistent', inHostile(place, 'dangling'));
      await symlink('loop', inHostile(place, 'loop'));
    },
    companions: ['plain.txt'],
    warnings: [/^symbolic links are not followed: "dangling", "loop", "outside\.txt", "shadow"$/],
    never: /out of bounds|root:/,
  },
  {
    name: 'a link to the directory above, which would be walked for ever',
    make: async (place) => {
      await plain(place);
      await symlink('..', inHostile(place, 'up'));
      await symlink('.', inHostile(place, 'here'));
    },
    companions: ['plain.txt'],
    warnings: [/^symbolic links are not followed: "here", "up"$/],
  },
  {
    name: 'native files that are links',
    make: async (place) => {
      await plain(place);
      await writeFile(
        join(place.folder, '..', 'elsewhere.json'),
        '{"id":"stolen","user":{"username":"mallory"}}',
      );
      await symlink('../../elsewhere.json', inHostile(place, 'session.json'));
      await symlink('../../elsewhere.json', inHostile(place, 'result.json'));
    },
    companions: ['plain.txt'],
    warnings: [/^symbolic links are not followed: "result\.json", "session\.json"$/],
    never: /stolen|mallory/,
  },
  {
    name: 'a FIFO that nobody writes to, and a socket',
    make: async (place) => {
      await plain(place);
      execFileSync('mkfifo', [inHostile(place, 'pipe')]);
      execFileSync('mkfifo', [inHostile(place, 'session.json')]);
      const server = createServer();
      onTestFinished(() => void server.close());
      await new Promise<void>((resolve) => server.listen(inHostile(place, 'sock'), resolve));
    },
    companions: ['plain.txt'],
    warnings: [/^3 FIFOs, sockets or devices are left alone$/],
  },
  {
    name: 'files of 0 bytes, native ones and a marker with something in it included',
    make: async (place) => {
      for (const name of ['session.json', 'empty.txt']) await write(place, `hostile/${name}`, '');
      await write(place, 'hostile/_SUCCESS', 'no marker');
    },
    companions: ['_SUCCESS', 'empty.txt', 'session.json'],
    warnings: [/^session\.json: cannot be read, ships as a companion: an empty file$/],
    log: (log) => expect(log.session.status).toBe('stalled'),
  },
  {
    name: 'a session.json of 5 GiB, sparse, over companions.bytesMax',
    env: { TRAINLOGD_COMPANIONS_BYTES_MAX: '1MiB' },
    make: async (place) => {
      await plain(place);
      await write(place, 'hostile/session.json', '{');
      await truncate(inHostile(place, 'session.json'), 5 * 1024 ** 3);
      // Straight in the folder it is no session, and is not read either.
      await write(place, 'huge.json', '{"id":"huge"');
      await truncate(join(place.folder, 'huge.json'), 5 * 1024 ** 3);
    },
    companions: ['plain.txt'],
    missing: [{ path: 'session.json', reason: 'tooLarge' }],
    warnings: [/^session\.json: cannot be read, .*: 5368709120 bytes, more than the 1048576 that are read$/],
  },
];
