import { describe, test } from 'vitest';
import { makeBucket } from '../support/s3-bucket.ts';
import { type Cleanup, makeHost, toBucket } from '../support/trainlogd.ts';
import { withCleanup } from './cleanup.ts';
import { gatewayTo, hasty, stopWithQueue } from './ten-thousand-files.ts';

async function hostWithQueue(context: Cleanup, timeout: string) {
  const bucket = await makeBucket({ versioned: false });
  const gateway = await gatewayTo(bucket, context);
  const host = await makeHost(context, toBucket({ ...bucket, endpoint: gateway.endpoint }), hasty(timeout));
  return { bucket, gateway, host };
}

describe('SIGTERM with 10,000 files queued', () => {
  test.each([
    [30, '25s', 75],
    [900, '870s', 0],
  ])(
    'and %i s of grace: drain.timeout %s, exit %i, every file is accounted for',
    async (grace, timeout, code) => {
      await withCleanup(async (context) => {
        await stopWithQueue(context, await hostWithQueue(context, timeout), { code, graceMs: grace * 1000 });
      });
    },
  );
});
