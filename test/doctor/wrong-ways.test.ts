import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import { examinationText } from '../../src/commands/doctor-text.ts';
import type { Examination } from '../../src/doctor/examine.ts';
import type { Diagnosis } from '../../src/doctor/finding.ts';
import { makePlace, type Place, startAgent, type Told } from '../support/agent.ts';
import { makeHealthy } from '../support/hostile.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { edgeOf } from './edge.ts';
import { type Env, secrets, type WrongWay, wrongWays } from './wrong-ways.ts';

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

  test.each(wrongWays)('$name', async (way) => {
    clock.aheadMs = way.clockMs ?? 0;
    const place = await makePlace();
    const env = { ...place.env, ...toBucket(right), ...(await way.make()) };
    await makeHealthy(place);
    const said = await askDoctor(place, env, way);
    const lines = await runUntilTold(place, env, way);
    const { level } = way.doctor.code === 'clock.offset' ? { level: 'warning' } : { level: 'critical' };
    expect(said.findings, said.text).toContainEqual(
      expect.objectContaining({ code: way.doctor.code, level }),
    );
    expect(said.exit).toBe(level === 'critical' ? 1 : 0);
    expect(said.flat).toMatch(way.doctor.cause);
    expect(said.flat).toMatch(way.doctor.remedy);
    // One cause, not its consequences as well.
    expect(said.findings.filter((finding) => finding.level === 'critical').length).toBeLessThan(3);
    for (const secret of secretsIn(env))
      for (const text of [said.text, said.json, lines]) expectHidden(text, secret);
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

async function askDoctor(place: Place, env: Env, { write, waitMs }: WrongWay): Promise<Said> {
  const { edge, said } = edgeOf(place, env);
  const limits = waitMs === undefined ? {} : { connectMs: waitMs, requestMs: waitMs };
  const exit = await doctor(edge, { json: true, ...(write && { write }) }, limits);
  const examination = JSON.parse(said()) as Examination;
  const text = examinationText(examination);
  const findings = examination.rooms.flatMap((room) => room.findings);
  return { exit, text, flat: text.replace(/\s+/g, ' '), json: said(), findings };
}

/** All that the agent wrote until it told of this cause. */
async function runUntilTold(place: Place, env: Env, { log }: WrongWay): Promise<string> {
  if (log === undefined) return '';
  const run = startAgent({ ...place, env: env as Record<string, string> }, ['run']);
  const tells = (line: Told) =>
    log.remedy.test(`${line['remedy']} ${line.message}`) &&
    (log.code === undefined || line['code'] === log.code);
  try {
    await run.until(log.event ?? 'destination.blocked', tells);
  } catch (error) {
    throw new Error(`the agent did not tell it: ${run.stderr().slice(0, 2_000)}`, { cause: error });
  } finally {
    run.signal('SIGTERM');
    run.signal('SIGTERM');
    await run.ended;
  }
  return run.stderr();
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
