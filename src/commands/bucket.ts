import { systemClock } from '../adapters/system-time.ts';
import { applyPlan, type BucketWork, isDone, lookAtBucket } from '../bucket/apply.ts';
import { differences } from '../bucket/plan.ts';
import { administer, wantedBucket } from '../compose-admin.ts';
import type { Config, S3Destination } from '../config/config.ts';
import { Failure } from '../domain/failure.ts';
import { loadAnswering } from './answering.ts';
import { appliedJson, appliedText, type Place, planJson, planText } from './bucket-text.ts';
import { callerOf } from './caller.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { oneLine } from './one-line.ts';

const differsExit = 2;

/** `trainlogd bucket plan`: what differs. Changes nothing. */
export async function bucketPlan(edge: Edge, flags: GlobalFlags): Promise<number> {
  return await withBucket(edge, flags, async (work, place) => {
    const plan = await lookAtBucket(work);
    const isSame = differences(plan) === 0;
    edge.stdout(flags.json ? planJson(plan, place) : planText(plan, place));
    return isSame ? exitCode.ok : differsExit;
  });
}

/** `trainlogd bucket apply`: shows what differs, changes it, reads again and says what is so now. */
export async function bucketApply(edge: Edge, flags: GlobalFlags): Promise<number> {
  return await withBucket(edge, flags, async (work, place) => {
    const before = await lookAtBucket(work);
    if (!flags.json) edge.stdout(planText(before, place));
    if (before.changes.length === 0) {
      if (flags.json) edge.stdout(appliedJson({ before, steps: [], after: before }, place));
      return exitCode.ok;
    }
    const applied = await applyPlan(work, before);
    edge.stdout(
      flags.json ? appliedJson({ before, ...applied }, place) : appliedText({ before, ...applied }),
    );
    if (isDone(applied)) return exitCode.ok;
    const failures = applied.steps.flatMap((step) => (step.outcome === 'failed' ? [step.failure] : []));
    return failures.some(({ denied }) => denied) ? exitCode.permission : exitCode.unreachable;
  });
}

async function withBucket(
  edge: Edge,
  flags: GlobalFlags,
  act: (work: BucketWork, place: Place) => Promise<number>,
): Promise<number> {
  const { config, warnings, sources } = await loadAnswering(edge, flags, { looksAt: [] });
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const { destination } = config;
  if (destination.kind === 'directory') {
    edge.stderr(
      'trainlogd: the destination is a directory, and no bucket: set S3_BUCKET_NAME or destination.url\n',
    );
    return exitCode.configuration;
  }
  const isExpiryChosen = sources['bucket.expireAfter'].layer !== 'default';
  const over = new AbortController();
  const stopListening = edge.onEndSignal(() => over.abort());
  try {
    return await administered(edge, flags, { config, destination, isExpiryChosen }, over.signal, act);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = error.remedy === undefined ? '' : `: ${error.remedy}`;
    edge.stderr(`trainlogd: ${oneLine(`${error.message}${remedy}`)}\n`);
    return error.denied ? exitCode.permission : exitCode.unreachable;
  } finally {
    stopListening();
  }
}

interface Wanted {
  readonly config: Config;
  readonly destination: S3Destination;
  readonly isExpiryChosen: boolean;
}

async function administered(
  edge: Edge,
  flags: GlobalFlags,
  { config, destination, isExpiryChosen }: Wanted,
  signal: AbortSignal,
  act: (work: BucketWork, place: Place) => Promise<number>,
): Promise<number> {
  const caller = callerOf(edge, flags);
  const { admin, source, identity, close } = await administer(destination, caller, systemClock, signal);
  const { bucket, region, endpoint } = destination;
  try {
    const want = wantedBucket(config, destination, isExpiryChosen);
    const at = { bucket, region, ...(endpoint !== undefined && { endpoint }) };
    const place = { ...at, credentials: source, ...(identity !== undefined && { identity }) };
    return await act({ admin, want, clock: systemClock, signal }, place);
  } finally {
    close();
  }
}
