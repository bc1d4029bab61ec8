import { describe } from 'vitest';

export {
  makeBucket,
  type ObjectVersion,
  type TestBucket,
  type TestCredentials,
} from './s3-bucket.ts';

/** False only where no server can be had and none is required; test/support/global-setup.ts said why. */
export const s3Available = process.env['S3_TEST_ENDPOINT'] !== undefined;

/** A suite that needs the real S3 server. */
export const describeS3 = describe.skipIf(!s3Available);
