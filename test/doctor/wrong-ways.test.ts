import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import { examinationText } from '../../src/commands/doctor-text.ts';
import { report } from '../../src/commands/report.ts';
import { reportExit } from '../../src/commands/report-exit.ts';
import { reportText } from '../../src/commands/report-text.ts';
import type { Examination } from '../../src/doctor/examine.ts';
import type { Diagnosis } from '../../src/doctor/finding.ts';
import type { Limits } from '../../src/doctor/patient.ts';
import type { Report } from '../../src/ports/report.ts';
import { type AgentRun, makePlace, type Place, startAgent, type Told } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { makeHealthy } from '../support/hostile.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { edgeOf } from './edge.ts';
import { wrongKeys } from './wrong-keys.ts';
import { wrongPlaces } from './wrong-places.ts';
import { wrongRights } from './wrong-rights.ts';
import { type Env, secrets, type WrongWay } from './wrong-way.ts';

const clock = vi.hoisted(() => ({ aheadMs: 0 }));

vi.mock(import('../../src/adapters/system-time.ts'), async (importOriginal) => {
  const { systemClock } = await importOriginal();
  return { systemClock: { ...systemClock, nowMs: () => systemClock.nowMs() + clock.aheadMs } };
});

describeS3('what is wrong is called by its name, with what to do about it:', () => {
  let right: TestBucket;

  beforeAll(async () => {
    right = await makeBucket();
  });

  beforeEach(() => {
    clock.aheadMs = 0;
  });

  test.each([...wrongKeys, ...wrongPlaces, ...wrongRights])('$name', async (way) => {
    clock.aheadMs = way.clockMs ?? 0;
    const place = await makePlace();
    const env = { ...place.env, ...toBucket(right), ...(await way.make()) };
    await makeHealthy(place);
    const said = await askDoctor(place, env, way);
    const level = way.doctor.code === 'clock.offset' ? 'warning' : 'critical';
    expect(said.findings, said.text).toContainEqual(
      expect.objectContaining({ code: way.doctor.code, level }),
    );
    expect(said.exit).toBe(level === 'critical' ? 1 : 0);
    expect(said.flat).toMatch(way.doctor.cause);
    expect(said.flat).toMatch(way.doctor.remedy);
    // One cause, not its consequences as well.
    expect(said.findings.filter((finding) => finding.level === 'critical').length).toBeLessThan(3);
    const run = way.log && startAgent({ ...place, env: env as Record<string, string> }, ['run']);
    try {
      if (run && way.log) await untilTold(run, way.log);
      const reported = await untilReported(place, env, way);
      for (const secret of secretsIn(env))
        for (const text of [said.text, said.json, reported, run?.stderr() ?? '']) expectHidden(text, secret);
    } finally {
      run?.signal('SIGTERM');
      run?.signal('SIGTERM');
      await run?.ended;
    }
  });
});

interface Said {
  readonly exit: number;
  readonly text: string;
  /** The same without its line breaks. */
  readonly flat: string;
  readonly json: string;
  readonly findings: readonly Diagnosis[];
}

async function askDoctor(place: Place, env: Env, way: WrongWay): Promise<Said> {
  const { edge, said } = edgeOf(place, env);
  const exit = await doctor(edge, { json: true, ...(way.write && { write: true }) }, limitsOf(way));
  const examination = JSON.parse(said()) as Examination;
  const text = examinationText(examination);
  const findings = examination.rooms.flatMap((room) => room.findings);
  return { exit, text, flat: text.replace(/\s+/g, ' '), json: said(), findings };
}

/** The agent's own line, with this cause. */
async function untilTold(
  run: AgentRun,
  { event, code, remedy }: NonNullable<WrongWay['log']>,
): Promise<void> {
  const tells = (line: Told) =>
    remedy.test(`${line['remedy']} ${line.message}`) && (code === undefined || line['code'] === code);
  try {
    await run.until(event ?? 'destination.blocked', tells);
  } catch (error) {
    throw new Error(`the agent did not tell it: ${run.stderr().slice(0, 2_000)}`, { cause: error });
  }
}

/** The report of the agent, where one runs, says it too; what it looks for by itself as the doctor does. */
async function untilReported(place: Place, env: Env, way: WrongWay): Promise<string> {
  const { code, cause, remedy } = way.report ?? way.doctor;
  const isTold = (made: Report) => made.findings.some((one) => one.code === code);
  const made = await eventually(async () => {
    const { edge, said } = edgeOf(place, env);
    const exit = await report(edge, { json: true }, limitsOf(way));
    const answered = JSON.parse(said()) as Report;
    if (!isTold(answered)) throw new Error(`the report does not tell it: ${said()}`);
    return { exit, answered };
  });
  const finding = made.answered.findings.find((one) => one.code === code);
  expect(made.exit).toBe(reportExit[made.answered.level]);
  expect(made.answered.level).not.toBe('ok');
  expect(`${finding?.finding} ${finding?.evidence}`).toMatch(cause);
  expect(finding?.remedy).toMatch(remedy);
  return JSON.stringify(made.answered) + reportText(made.answered, Date.now());
}

function limitsOf({ waitMs }: WrongWay): Partial<Limits> {
  return waitMs === undefined ? {} : { connectMs: waitMs, requestMs: waitMs };
}

function toBucket({ bucket, endpoint, region, uploader }: TestBucket): Env {
  return {
    TRAINLOGD_DESTINATION_URL: undefined,
    TRAINLOGD_HTTP_LISTEN: 'off',
    S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: uploader.accessKeyId,
    AWS_SECRET_ACCESS_KEY: uploader.secretAccessKey,
  };
}

function secretsIn(env: Env): string[] {
  return [...Object.values(secrets), env['AWS_SECRET_ACCESS_KEY'] ?? secrets.wrong];
}

/** Not even a part of it. */
function expectHidden(text: string, secret: string): void {
  const length = 12;
  for (let at = 0; at + length <= secret.length; at += length / 2)
    expect(text).not.toContain(secret.slice(at, at + length));
}
