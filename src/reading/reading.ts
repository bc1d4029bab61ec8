import { logPlaces, type Month, monthsBack } from '../domain/log-month.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectReader } from '../ports/object-reader.ts';
import { ByteBudget } from './byte-budget.ts';

/** What reading sessions back needs: the bucket, and how keys are made in it. */
export interface Reading {
  readonly reader: ObjectReader;
  readonly keyTemplate: string;
  readonly clock: Clock;
  /** Logs that are in memory at once: each may be as large as somebody made it. */
  readonly logBudget: ByteBudget;
}

export function createReading(parts: Omit<Reading, 'logBudget'>): Reading {
  return { ...parts, logBudget: new ByteBudget(32 * 1024 * 1024) };
}

/** How far ahead of a clock a session's start may lie and be believed. */
const aheadMs = 24 * 3_600_000;

/** The month that was asked for, or all that there may be, newest first. */
export function monthsFor({ clock }: Reading, month: Month | undefined): readonly Month[] {
  return month === undefined ? monthsBack(clock.nowMs() + aheadMs) : [month];
}

export function placesFor(reading: Reading, month: Month | undefined) {
  return logPlaces(reading.keyTemplate, monthsFor(reading, month));
}
