import { expect, test } from 'vitest';
import { describeS3 } from '../support/s3.ts';
import { showReport } from './report-text.ts';
import { torture } from './torture.ts';

describeS3('killed at named steps and at random, on a bad network', () => {
  test('the bucket holds every byte, every log once a revision, and no upload that nobody knows', {
    timeout: 240_000,
  }, async (context) => {
    const report = await torture(context, { kills: 15, seed: 3, faults: true });
    expect(report.problems, showReport(report)).toEqual([]);
    expect(report.kills).toBe(15);
    expect(Object.values(report.faults).some((times) => times > 0)).toBe(true);
  });
});
