import type { S3Client } from '@aws-sdk/client-s3';
import type { AwsCredentials } from './aws-credentials.ts';
import { refusedCredentials, refusedTime } from './s3-access-rows.ts';
import { textAt } from './s3-error.ts';
import type { SigningClock } from './signing-clock.ts';

/** What all requests to a destination are signed with. */
export interface S3Access {
  readonly credentials: AwsCredentials;
  readonly clock: SigningClock;
}

export interface AnswerFacts {
  /** The header `Date`, and `Age`, which a cache adds. */
  readonly date: string | undefined;
  readonly age?: string | undefined;
  /** Of an error: its code, and the `ServerTime` that it may give. */
  readonly code?: string | undefined;
  readonly serverTime?: string | undefined;
  /** What the request was signed with. */
  readonly accessKeyId?: string | undefined;
}

/** To be called for every answer, whoever sent the request: it says what time it is there, and whether we are known. */
export function learnFromAnswer({ credentials, clock }: S3Access, answer: AnswerFacts): void {
  const { date, age, code, serverTime, accessKeyId } = answer;
  if (code !== undefined && refusedTime.has(code)) clock.refused(date, serverTime);
  else if (age === undefined) clock.observe(date);
  if (code !== undefined && accessKeyId !== undefined && refusedCredentials.has(code))
    credentials.refused(accessKeyId);
}

/** Makes a client sign with the corrected time, and learn from what it is answered. */
export function watchAnswers(client: S3Client, access: S3Access): void {
  // The SDK's own correction believes any single answer: what it finds out is not kept.
  Object.defineProperty(client.config, 'systemClockOffset', {
    get: () => access.clock.offsetMs(),
    set: () => undefined,
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      const accessKeyId = signerOf(args.request);
      try {
        const result = await next(args);
        learnFromAnswer(access, { ...timeOf(result.response), accessKeyId });
        return result;
      } catch (error) {
        learnFromAnswer(access, { ...errorOf(error), accessKeyId });
        throw error;
      }
    },
    { step: 'deserialize', priority: 'high', name: 'learnFromAnswer' },
  );
}

function signerOf(request: unknown): string | undefined {
  return /Credential=([^/,\s]+)/.exec(textAt(request, 'headers', 'authorization'))?.[1];
}

function timeOf(response: unknown) {
  return {
    date: textAt(response, 'headers', 'date') || undefined,
    age: textAt(response, 'headers', 'age') || undefined,
  };
}

function errorOf(error: unknown): AnswerFacts {
  const response = error instanceof Error && '$response' in error ? error.$response : undefined;
  const serverTime = textAt(error, 'ServerTime') || undefined;
  return { ...timeOf(response), code: textAt(error, 'name'), serverTime };
}
