import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkedLog } from '../support/bucket-log.ts';
import { GrowingFile, growing, mebibyte, untilRecorded } from '../support/growing-file.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { type Host, makeHost, run, start, toBucket } from '../support/trainlogd.ts';

/** So long after the host was last heard of that it counts as lost. */
const later = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'support', 'eleven-minutes-later.ts')}`,
};

/** A command of the contract, and how it ends. */
interface Row {
  readonly args: (id: string, directory: string) => readonly string[];
  readonly exit?: number;
  readonly more?: Readonly<Record<string, string>>;
}

const besideTheDaemon: readonly Row[] = [
  { args: () => ['status', '--json'] },
  { args: () => ['report'] },
  { args: () => ['doctor', '--write'] },
  { args: () => ['retry', '--all'] },
];

/** Once its host is gone: those of one line run side by side, and one of them at most holds the journal. */
const elsewhere: readonly (readonly Row[])[] = [
  [{ args: (id) => ['recover', id], more: later }, { args: () => ['drain'] }],
  [{ args: () => ['backfill'] }, { args: () => ['plan'] }, { args: () => ['iam', 'policy'] }],
  [
    { args: () => ['list'] },
    { args: (id) => ['show', id] },
    { args: (id, directory) => ['get', id, directory] },
    { args: () => ['verify'] },
  ],
  [{ args: () => ['exec', '--', 'true'] }],
];

const refusals = [403, 405, 501];

async function session(host: Host, name: string, bytes: number): Promise<void> {
  const directory = join(host.folder, name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'events.bin'), Buffer.alloc(bytes, name));
  await writeFile(join(directory, 'train.log'), 'epoch 1\n');
  await writeFile(join(directory, 'result.json'), '{"status":"completed"}');
}

describeS3("with nothing beyond the guide's policy", () => {
  test.skipIf(serverLog === undefined)(
    'everything works, and the server denies no request',
    async (context) => {
      const bucket = await makeBucket();
      const host = await makeHost(context, toBucket(bucket), growing);
      const other = await makeHost(context, toBucket(bucket), growing);
      const inAll = (rows: readonly Row[], on: Host, id = '') =>
        Promise.all(
          rows.map(async ({ args, exit = 0, more }) => {
            const words = args(id, join(on.base, 'fetched'));
            const ended = await run(context, on, words, more);
            expect(ended.code, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(exit);
          }),
        );

      const file = new GrowingFile(join(host.folder, 'run', 'events.bin'));
      await file.append(12 * mebibyte);
      await writeFile(join(host.folder, 'run', 'session.json'), '{}');
      const daemon = start(context, host);
      await untilRecorded(bucket, 2);
      await inAll(besideTheDaemon, host);
      const { id } = (await checkedLog(bucket)).log.session;
      await daemon.stop('SIGKILL');

      await session(other, 'large', 12 * mebibyte);
      await session(other, 'small', 10);
      for (const rows of elsewhere) await inAll(rows, other, id);

      const asked = (await requestsTo(bucket)).filter(({ user }) => user === 's3uploader');
      expect(asked.length).toBeGreaterThan(30);
      expect(asked.filter(({ status }) => refusals.includes(status))).toEqual([]);
    },
    60_000,
  );
});
