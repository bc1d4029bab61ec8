import { credentialSources } from './adapters/aws-credential-sources.ts';
import { createAwsCredentials } from './adapters/aws-credentials.ts';
import type { S3Access } from './adapters/s3-access.ts';
import { createSigningClock } from './adapters/signing-clock.ts';
import type { Config } from './config/schema.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { Status } from './ports/status.ts';

/** What requests to the bucket are signed with, looked after for as long as we run; undefined for a directory. */
export function createAccess(
  { destination }: Pick<Config, 'destination'>,
  clock: Clock,
  events: Events,
): S3Access | undefined {
  if (destination.kind === 'directory') return undefined;
  const signingClock = createSigningClock({
    now: clock.nowMs,
    monotonic: clock.monotonicMs,
    onSkew: (offsetMs) =>
      offsetMs === 0 ? events.emit('clock.right', {}) : events.emit('clock.skewed', { offsetMs }),
  });
  const { env, homeDirectory, keyPair } = destination.credentialPlaces ?? nowhere;
  const credentials = createAwsCredentials({
    sources: credentialSources({ env, homeDirectory, keyPair, region: destination.region }),
    clock,
    signingClock,
    onChanged: (change) => events.emit('credentials.changed', change),
    onProblem: (problem) => events.emit('credentials.problem', problem),
  });
  return { credentials, clock: signingClock };
}

const nowhere = { env: {}, homeDirectory: undefined, keyPair: undefined };

export function accessStatus(access: S3Access | undefined): Pick<Status, 'credentials' | 'clockBehindMs'> {
  if (access === undefined) return {};
  const clockBehindMs = access.clock.offsetMs();
  return {
    credentials: access.credentials.describe(),
    ...(clockBehindMs !== 0 && { clockBehindMs }),
  };
}
