import { createS3Store } from '../../src/adapters/s3-store.ts';
import { contractPartSizeBytes, objectStoreContract } from '../contracts/object-store.ts';
import { partStoreContract } from '../contracts/part-store.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';

/** As the restricted user: whatever the policy denies fails the suite. */
function storeOf({ bucket, endpoint, region, uploader }: TestBucket) {
  return createS3Store({
    destination: { bucket, endpoint, region, pathStyle: true, tags: {}, credentials: uploader },
    partSizeBytes: contractPartSizeBytes,
    partConcurrency: 4,
  });
}

for (const versioned of [true, false]) {
  const name = versioned ? 'S3, versions kept' : 'S3, no versions';
  describeS3(name, () => {
    let made: Promise<TestBucket> | undefined;
    const bucket = () => {
      made ??= makeBucket({ versioned });
      return made;
    };
    const seen = {
      open: async () => storeOf(await bucket()),
      visible: async (prefix: string) => (await (await bucket()).versions(prefix)).map(({ key }) => key),
      bytes: async (key: string) => (await bucket()).bytes(key),
    };
    partStoreContract(name, { ...seen, aborts: false });
    objectStoreContract(name, {
      ...seen,
      extraKeys: ['a//b', 'trailing/', 'dots/../up', './here'],
    });
  });
}
