import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../support/agent.ts';
import type { TestBucket } from '../support/s3-bucket.ts';
import { type Cleanup, toBucket, type Variables } from '../support/trainlogd.ts';

/** A folder and a state directory for an agent that ships to a bucket in a hurry; gone after the test. */
export async function makeFaultPlace(
  context: Cleanup,
  bucket: TestBucket,
  more: Variables = {},
): Promise<Place> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'trainlogd-fault-')));
  context.onTestFinished(() => rm(base, { recursive: true, force: true }));
  const folder = join(base, 'folder');
  const state = join(base, 'state');
  await mkdir(folder);
  const env = {
    HOME: base,
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_STATE_DIRECTORY: state,
    TRAINLOGD_WATCH_SETTLE: '30ms',
    TRAINLOGD_WATCH_RESCAN: '1s',
    TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: '1s',
    TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
    TRAINLOGD_RETRY_BASE_DELAY: '20ms',
    TRAINLOGD_RETRY_MAX_DELAY: '200ms',
    TRAINLOGD_DRAIN_TIMEOUT: '1s',
    TRAINLOGD_LOG_FORMAT: 'json',
    TRAINLOGD_HTTP_LISTEN: 'off',
    ...toBucket(bucket),
    ...more,
  };
  return { folder, state, destination: '', env };
}
