import { askStatus } from '../adapters/ask-agent.ts';
import type { Status } from '../ports/status.ts';
import { type BucketLook, lookAtBucket } from './bucket-look.ts';
import { type EndpointLook, lookAtEndpoint } from './endpoint-look.ts';
import type { Diagnosis, NotLooked } from './finding.ts';
import type { Limits, Patient } from './patient.ts';

/** What all checks look at. */
export interface Visit extends Patient {
  /** Made once, however many checks ask; undefined where there is no bucket. */
  readonly endpoint: () => Promise<EndpointLook | undefined>;
  readonly bucket: () => Promise<BucketLook | undefined>;
  /** What the agent that holds the state directory says of itself; undefined where none answers. */
  readonly agent: () => Promise<Status | undefined>;
}

/** Never throws for what it finds: what it throws is a mistake of ours. */
export type Check = (visit: Visit, signal: AbortSignal) => Promise<readonly Diagnosis[] | NotLooked>;

/** The chain of waits, credentials or connection and then three requests in a row, stays below `allMs`. */
export const defaultLimits: Limits = {
  allMs: 25_000,
  connectMs: 4_000,
  requestMs: 5_000,
  credentialsMs: 8_000,
  folderMs: 5_000,
};

/** What several checks need is looked at once, when the first of them asks. */
export function startVisit(parts: Patient): Visit {
  const { destination, stateDirectory, hung, clock, limits } = parts;
  const s3 = destination?.kind === 's3' ? destination : undefined;
  const visit: Visit = {
    ...parts,
    endpoint: once(async () => s3 && (await lookAtEndpoint(s3, clock, limits).catch(() => undefined))),
    bucket: once(async () => {
      const endpoint = await visit.endpoint();
      return s3 === undefined || endpoint === undefined || endpoint.failed
        ? undefined
        : await lookAtBucket(visit, s3);
    }),
    agent: once(async () =>
      stateDirectory === undefined || hung.has(stateDirectory) ? undefined : await askStatus(stateDirectory),
    ),
  };
  return visit;
}

export function once<T>(look: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= look();
    return pending;
  };
}
