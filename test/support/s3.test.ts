import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { describeS3, makeBucket } from './s3.ts';

describeS3('makeBucket()', () => {
  test.each([
    { versioned: true, expected: ['two', 'one'] },
    { versioned: false, expected: ['two'] },
  ])(
    'makes a bucket that keeps versions only when versioned is $versioned',
    async ({ versioned, expected }) => {
      const { bucket, owner, versions, bytes } = await makeBucket({ versioned });
      for (const Body of ['one', 'two']) {
        await owner.send(new PutObjectCommand({ Bucket: bucket, Key: 'a b/+\n%2e', Body }));
      }
      const found = await versions('a b');
      expect(found.map(({ key }) => key)).toEqual(expected.map(() => 'a b/+\n%2e'));
      const texts = await Promise.all(
        found.map(async ({ key, versionId }) => String(await bytes(key, versionId))),
      );
      expect(texts).toEqual(expected);
    },
  );
});
