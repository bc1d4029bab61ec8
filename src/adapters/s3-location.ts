import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { BucketClient } from './s3-find.ts';

/** Where a bucket's objects are, and what signs for it there. */
export interface BucketLocation {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number | undefined;
  /** Before the key; ends with a slash. */
  readonly path: string;
  readonly signingRegion: string;
}

const probe = 'k';

/**
 * Asked of the SDK, by letting it make a request that is never sent: regions, partitions, path style, dual stack and
 * what else decides on a host stay its business.
 */
export async function locateBucket({ client, bucket }: BucketClient): Promise<BucketLocation> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: probe });
  let location: BucketLocation | undefined;
  command.middlewareStack.add(
    (_, context) => async (args) => {
      location = locationOf(args.request, context.endpointV2?.properties?.['authSchemes']);
      return { response: {}, output: { $metadata: {} } };
    },
    { step: 'build', priority: 'high', name: 'locateBucket' },
  );
  await client.send(command);
  if (location === undefined)
    throw new Error(`locating the bucket ${JSON.stringify(bucket)}: no request was made`);
  return location;
}

function locationOf(request: unknown, schemes: unknown): BucketLocation {
  const { protocol, hostname, port, path } = request as {
    protocol: string;
    hostname: string;
    port?: number;
    path: string;
  };
  const [scheme] = Array.isArray(schemes) ? schemes : [];
  if (scheme?.name !== 'sigv4' || typeof scheme.signingRegion !== 'string') {
    throw new Error(
      `locating a bucket at ${JSON.stringify(hostname)}: it wants signatures that are not made here`,
    );
  }
  return {
    secure: protocol === 'https:',
    hostname,
    port,
    path: path.slice(0, -probe.length),
    signingRegion: scheme.signingRegion,
  };
}
