import type { RecordedSession } from './recorded-objects.ts';
import type { Report } from './report.ts';
import type { Status } from './status.ts';

/** What is asked of a running agent over its socket: one line of JSON, answered with one document. */
export type AgentRequest =
  | { readonly ask: 'status' }
  /** Made now. */
  | { readonly ask: 'report' }
  /** Ids, or of sessions that have none yet their paths in the folder. */
  | { readonly ask: 'retry'; readonly sessions: readonly string[] | 'all' }
  | { readonly ask: 'recordedMonths' }
  /** By the keys of their logs, as the journal is asked. */
  | { readonly ask: 'recordedSessions'; readonly after: string; readonly to: string };

export interface AgentAnswers {
  readonly status: Status;
  readonly report: Report;
  readonly retry: RetryAnswer;
  readonly recordedMonths: { readonly version: 1; readonly months: readonly string[] };
  readonly recordedSessions: { readonly version: 1; readonly sessions: readonly RecordedSession[] };
}

/** Who answers. What is absent is refused: an agent that waits for its disk knows no more than its status. */
export type Answering = {
  readonly [Ask in AgentRequest['ask']]?: (
    request: Extract<AgentRequest, { ask: Ask }>,
  ) => AgentAnswers[Ask] | Promise<AgentAnswers[Ask]>;
};

/** What `trainlogd retry` did. Version 1; fields are only added. */
export interface RetryAnswer {
  readonly version: 1;
  readonly retried: readonly RetriedSession[];
  /** Asked for by name, and nothing of them is parked. */
  readonly notParked: readonly string[];
  /** Asked for by name, and no session of this journal. */
  readonly unknown: readonly string[];
}

export interface RetriedSession {
  readonly session: string;
  /** Files that were parked. */
  readonly files: number;
  /** Its session log was. */
  readonly log: boolean;
  /** Its directory is gone and its log is written: nothing is left here to be tried, and nothing more is said of it. */
  readonly isGone: boolean;
}
