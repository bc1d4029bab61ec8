import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkedLog } from '../support/bucket-log.ts';
import { bash, runExec } from '../support/exec.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { makeHost, toBucket } from '../support/trainlogd.ts';

describeS3('trainlogd exec, to a bucket', () => {
  test('a session is there, whole, when its command has ended and it says so by its exit code', {
    timeout: 120_000,
  }, async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket), {
      TRAINLOGD_WATCH_SETTLE: '50ms',
      TRAINLOGD_LOG_FORMAT: 'text',
    });
    const script = 'echo epoch 1; echo 0.5 > "$TRAINLOGD_SESSION_DIR/metrics.csv"; exit 4';
    const ended = await runExec(context, host, ['--dir', join(host.base, 'own'), ...bash(script)]);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 4, stderr: '' });
    const { log, bytesOf } = await checkedLog(bucket);
    expect(log).toMatchObject({ session: { status: 'failed' }, missing: [], warnings: [] });
    expect((await bytesOf('stdout.log')).toString()).toBe('epoch 1\n');
    expect((await bytesOf('metrics.csv')).toString()).toBe('0.5\n');
  });
});
