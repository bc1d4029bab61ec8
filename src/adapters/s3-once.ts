import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Access } from './s3-access.ts';
import { refusedTime } from './s3-access-rows.ts';
import { textAt } from './s3-error.ts';

/**
 * Makes a client, whose own retries are off, send each request once, but for two that cost and decide nothing: one that
 * was refused for its time, when that has been corrected since; and a read whose connection broke, as those do that were
 * kept while nobody used them. A write whose answer is lost is never repeated unseen: what came of it is looked at, and
 * nothing of it is left on its way that could be carried out after what was written next.
 */
export function sendOnce(client: S3Client, access: S3Access | undefined): void {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const offsetMs = access?.clock.offsetMs();
        try {
          return await next(args);
        } catch (error) {
          const isCorrected = refusedTime.has(textAt(error, 'name')) && access?.clock.offsetMs() !== offsetMs;
          const isBrokenRead = reads.test(commandName) && resets.has(textAt(error, 'code'));
          if (!isCorrected && !isBrokenRead) throw error;
          return await next(args);
        }
      },
    { step: 'initialize', priority: 'low', name: 'sendOnce' },
  );
}

const reads = /^(List|Head|Get)/;
const resets: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
