import { Failure } from '../domain/failure.ts';
import type { BucketAdmin, BucketChange } from '../ports/bucket-admin.ts';
import type { Clock } from '../ports/clock.ts';
import type { DesiredState } from './desired-state.ts';
import { type Line, lacking } from './line.ts';
import { differences, type Plan, planBucket } from './plan.ts';

export interface BucketWork {
  readonly admin: BucketAdmin;
  readonly want: DesiredState;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What became of one change. */
export type Step =
  | { readonly setting: BucketChange['setting']; readonly outcome: 'done' | 'notTried' }
  | { readonly setting: BucketChange['setting']; readonly outcome: 'lacking'; readonly why: string }
  | { readonly setting: BucketChange['setting']; readonly outcome: 'failed'; readonly failure: Failure };

export interface Applied {
  readonly steps: readonly Step[];
  /** What is so now, as it was read afterwards; undefined where that failed, as the last step says. */
  readonly after?: Plan;
  /** Why it could not be read afterwards. */
  readonly unread?: Failure;
}

/** AWS may show for some seconds what was there before. */
const rereadMs = 1_000;
const rereadsMax = 10;

/** Reads; changes nothing. Throws Failure. */
export async function lookAtBucket({ admin, want, signal }: BucketWork): Promise<Plan> {
  const state = await admin.read(signal);
  const logBucket = want.isAws ? want.accessLog?.bucket : undefined;
  const target = logBucket === undefined ? undefined : await admin.readLogTarget(logBucket, signal);
  return planBucket(want, state, target);
}

/**
 * Makes the changes of a plan, one after the other. What fails for want of a right, or is refused, keeps no other from
 * being made; what keeps every request from being answered ends it.
 */
export async function applyPlan(work: BucketWork, plan: Plan): Promise<Applied> {
  const steps = await makeChanges(work, plan);
  try {
    return { steps, after: await reread(work, steps) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { steps, unread: error };
  }
}

async function makeChanges(work: BucketWork, plan: Plan): Promise<readonly Step[]> {
  const [first, ...rest] = plan.changes;
  if (first?.setting !== 'bucket') return await makeEach(work, plan.changes);
  const created = await makeEach(work, [first]);
  if (created[0]?.outcome !== 'done') return [...created, ...rest.map(({ setting }) => notTried(setting))];
  try {
    return [...created, ...(await makeEach(work, (await lookAtNew(work)).changes))];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [next, ...others] = rest.map(({ setting }) => setting);
    const failed: Step[] = next === undefined ? [] : [{ setting: next, outcome: 'failed', failure: error }];
    return [...created, ...failed, ...others.map(notTried)];
  }
}

/** A new bucket has settings of its own, and only now can be seen what its endpoint knows. */
async function lookAtNew(work: BucketWork): Promise<Plan> {
  for (let reads = 1; ; reads += 1) {
    const plan = await lookAtBucket(work);
    if (plan.changes[0]?.setting !== 'bucket' || reads >= rereadsMax) return plan;
    await work.clock.sleep(rereadMs, work.signal);
  }
}

async function makeEach(
  { admin, signal }: BucketWork,
  changes: readonly BucketChange[],
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  let isOver = false;
  for (const change of changes) {
    const step: Step = isOver ? notTried(change.setting) : await make(admin, change, signal);
    isOver ||= step.outcome === 'failed' && endsAll(step.failure);
    steps.push(step);
  }
  return steps;
}

async function make(admin: BucketAdmin, change: BucketChange, signal: AbortSignal): Promise<Step> {
  const { setting } = change;
  try {
    const why = await admin.change(change, signal);
    return why === undefined ? { setting, outcome: 'done' } : { setting, outcome: 'lacking', why };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { setting, outcome: 'failed', failure: error };
  }
}

function notTried(setting: BucketChange['setting']): Step {
  return { setting, outcome: 'notTried' };
}

function endsAll({ kind, denied }: Failure): boolean {
  return kind === 'cancelled' || kind === 'transient' || (kind === 'blocked' && !denied);
}

async function reread(work: BucketWork, steps: readonly Step[]): Promise<Plan> {
  const notMade = steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'notTried').length;
  for (let reads = 1; ; reads += 1) {
    const plan = withLacking(await lookAtBucket(work), steps);
    if (plan.changes.length <= notMade || reads >= rereadsMax || work.signal.aborted) return plan;
    await work.clock.sleep(rereadMs, work.signal);
  }
}

const settingNames: Readonly<Record<string, BucketChange['setting']>> = {
  'public access': 'publicAccess',
  'object ownership': 'ownership',
  'access log': 'accessLog',
};

/** What an endpoint was found to lack only when it was asked to change it is no difference any more. */
function withLacking(plan: Plan, steps: readonly Step[]): Plan {
  const why = new Map(
    steps.flatMap((step) => (step.outcome === 'lacking' ? [[step.setting, step.why]] : [])),
  );
  const settingOf = ({ setting }: Line) =>
    setting.startsWith('lifecycle rule') ? 'lifecycle' : (settingNames[setting] ?? setting);
  const lines = plan.lines.map((line) => {
    const reason = [...why].find(([setting]) => setting === settingOf(line))?.[1];
    return line.state === 'differs' && reason !== undefined ? lacking(line.setting, line.want, reason) : line;
  });
  return { lines, changes: plan.changes.filter(({ setting }) => !why.has(setting)) };
}

/** Whether all is done that can be: what could not be is named. */
export function isDone({ steps, after }: Applied): boolean {
  const wasMade = steps.every(({ outcome }) => outcome === 'done' || outcome === 'lacking');
  return wasMade && after !== undefined && differences(after) === 0;
}
