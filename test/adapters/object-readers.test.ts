import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { createDirectoryReader } from '../../src/adapters/directory-reader.ts';
import { createS3Reader } from '../../src/adapters/s3-reader.ts';
import { restoreCommand } from '../../src/adapters/s3-restore.ts';
import { objectReaderContract } from '../contracts/object-reader.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { errorAnswer, isList, listAnswer, type ScriptedAnswer, scriptedS3 } from '../support/scripted-s3.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;

/** As the restricted user: whatever the policy denies fails the suite. */
describeS3('S3', () => {
  let made: Promise<TestBucket> | undefined;
  const bucket = () => {
    made ??= makeBucket();
    return made;
  };
  afterAll(async () => (await made)?.owner.destroy());
  objectReaderContract('S3', {
    open: async () => {
      const { bucket: name, endpoint, region, uploader } = await bucket();
      const destination = {
        bucket: name,
        endpoint,
        region,
        pathStyle: true,
        tags: {},
        credentials: uploader,
      };
      return createS3Reader(destination, undefined);
    },
    put: async (key, bytes) => {
      const { owner, bucket: name } = await bucket();
      await owner.send(new PutObjectCommand({ Bucket: name, Key: key, Body: bytes }));
    },
    remove: async (key) => {
      const { owner, bucket: name } = await bucket();
      await owner.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
    },
  });
});

{
  const root = await mkdtemp(join(tmpdir(), 'trainlogd-test-'));
  afterAll(() => rm(root, { recursive: true, force: true }));
  objectReaderContract('directory', {
    open: async () => createDirectoryReader({ path: root }),
    put: async (key, bytes) => {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), bytes);
    },
    remove: (key) => rm(join(root, key)),
  });
}

describe('an S3 reader', () => {
  const credentials = { accessKeyId: 'A', secretAccessKey: 'S' };
  async function readerOf(answer: Parameters<typeof scriptedS3>[0]) {
    const { endpoint, requests } = await scriptedS3(answer);
    const destination = { bucket: 'bucket', endpoint, region: 'r', pathStyle: true, tags: {}, credentials };
    return { reader: createS3Reader(destination, undefined), requests };
  }
  const whole = { status: 200, body: 'all of it' };

  test('says of an archived object that it is one, without looking whether it is there', async () => {
    const { reader, requests } = await readerOf(() => errorAnswer(403, 'InvalidObjectState'));
    await expect(reader.read('k', { position: 0 }, never)).rejects.toMatchObject({
      code: 'InvalidObjectState',
    });
    expect(requests).toHaveLength(1);
  });

  test('takes the refusal of a key that is listed for a refusal', async () => {
    const { reader } = await readerOf((request) =>
      isList(request) ? listAnswer('k') : errorAnswer(403, 'AccessDenied'),
    );
    await expect(reader.read('k', { position: 0 }, never)).rejects.toMatchObject({
      kind: 'blocked',
      denied: true,
    });
  });

  test('finds the rest in the whole object that a proxy without ranges sends', async () => {
    const { reader } = await readerOf(() => ({ ...whole, headers: { ETag: '"e"', 'Content-Length': '9' } }));
    const { body, sizeBytes } = await reader.read('k', { position: 4, etag: 'e' }, never);
    let rest = '';
    for await (const chunk of body) rest += chunk.toString();
    expect({ rest, sizeBytes }).toEqual({ rest: 'of it', sizeBytes: 9 });
  });

  test.each<[string, ScriptedAnswer, 'list' | 'read']>([
    ['a whole object where the rest of another was asked for', whole, 'read'],
    ['a list that is none', { status: 200, body: '<html/>' }, 'list'],
    ['a list that is not found', { status: 404 }, 'list'],
    [
      'a list that ends without saying how it goes on',
      {
        status: 200,
        body: '<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated></ListBucketResult>',
      },
      'list',
    ],
  ])('believes no server that answers %s', async (_, answer, what) => {
    const { reader } = await readerOf(() => answer);
    const list = async () => {
      for await (const _page of reader.pages('p/', {}, never));
    };
    const work = what === 'read' ? reader.read('k', { position: 4, etag: 'e' }, never) : list();
    await expect(work).rejects.toMatchObject({ kind: 'blocked', code: 'UnreadableAnswer' });
  });
});

test.each(['training-logs/2026/01/a.log', 'it\'s; rm -rf $HOME `x` \\ "q"', 'line\nbreak \u001b[2J\u202e'])(
  'the command that restores %j hands a shell exactly this key',
  (key) => {
    const destination = { bucket: 'b', region: 'eu-west-1', pathStyle: false, tags: {} };
    const command = restoreCommand(destination, key);
    expect(command).not.toMatch(/[\p{Cc}\u202e]/u);
    const said = execFileSync('bash', ['-c', `aws() { printf '%s\\0' "$@"; }; ${command}`], {
      encoding: 'utf8',
    });
    const words = said.split('\0');
    expect(words.slice(0, 2)).toEqual(['s3api', 'restore-object']);
    expect(words[words.indexOf('--key') + 1]).toBe(key);
  },
);

describe('a directory reader', () => {
  test('lists regular files alone, and follows no link', async () => {
    const root = await temporaryDirectory();
    const outside = await temporaryDirectory();
    await mkdir(join(root, 'p'));
    await mkdir(join(root, '.trainlogd'));
    await writeFile(join(root, '.trainlogd', 'own'), 'own');
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(root, 'p', 'out'));
    await symlink(join(outside, 'secret'), join(root, 'p', 'link'));
    execFileSync('mkfifo', [join(root, 'p', 'fifo')]);
    await writeFile(join(root, 'p', 'file'), 'file');
    const reader = createDirectoryReader({ path: root });
    const keys: string[] = [];
    for (const prefix of ['', 'p/', 'p/out/', 'p/link'])
      for await (const page of reader.pages(prefix, {}, never)) keys.push(...page.map(({ key }) => key));
    expect(keys).toEqual(['p/file', 'p/file']);
    for (const key of ['p/out/secret', 'p/link', 'p/fifo', '../etc/passwd', 'p'])
      await expect(reader.read(key, { position: 0 }, never)).rejects.toMatchObject({ kind: 'permanent' });
  });

  test('that is not there is unreachable, and no empty one', async () => {
    const reader = createDirectoryReader({ path: join(await temporaryDirectory(), 'gone') });
    const list = async () => {
      for await (const _ of reader.pages('', {}, never));
    };
    await expect(list()).rejects.toMatchObject({
      kind: 'blocked',
      code: 'ENOENT',
      remedy: expect.any(String),
    });
  });
});
