import type { S3Client } from '@aws-sdk/client-s3';
import { textAt } from '../adapters/s3-error.ts';
import { namedRegion } from '../adapters/s3-refusal.ts';
import type { Clock } from '../ports/clock.ts';

/** What answers say beside what was asked for. */
export interface Answers {
  /** The server's time minus the host's, of each answer that gave one. */
  readonly dates: number[];
  /** Of the last answer: what calls itself the server, and of what kind its body is. */
  server?: string;
  contentType?: string;
  status?: number;
  /** The region that the bucket is in, where it was named. */
  region?: string;
}

const shownMax = 80;

export function noteAnswers(client: S3Client, answers: Answers, clock: Clock): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentMs = clock.nowMs();
      const note = (response: unknown) => void noteAnswer(response, answers, (sentMs + clock.nowMs()) / 2);
      try {
        const result = await next(args);
        note(result.response);
        return result;
      } catch (error) {
        note(Reflect.get(Object(error), '$response'));
        const region = namedRegion(error);
        if (region !== undefined) answers.region = region;
        throw error;
      }
    },
    { step: 'deserialize', priority: 'high', name: 'noteAnswers' },
  );
}

function noteAnswer(response: unknown, answers: Answers, atMs: number): void {
  if (response === undefined) return;
  const header = (name: string) => textAt(response, 'headers', name).slice(0, shownMax);
  const dateMs = Date.parse(header('date'));
  // A date has whole seconds: half of one more is most likely. What a cache gives is old.
  if (dateMs > 0 && header('age') === '') answers.dates.push(dateMs + 500 - atMs);
  answers.server = header('server');
  answers.contentType = header('content-type');
  const status: unknown = Reflect.get(Object(response), 'statusCode');
  if (typeof status === 'number') answers.status = status;
}
