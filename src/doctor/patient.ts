import type { S3Access } from '../adapters/s3-access.ts';
import type { Config, Destination } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import type { Clock } from '../ports/clock.ts';
import type { HostTools } from '../probes/host-tools.ts';

/** The configuration as far as it can be used. */
export interface Configured {
  /** Absent when it has problems. */
  readonly config?: Config;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  /** What was read, for people. */
  readonly readFrom: readonly string[];
  readonly envFile: string;
  readonly watchedDirectory?: string;
  readonly stateDirectory?: string;
  readonly destination?: Destination;
  /** Those of these paths that do not answer: a call to one would neither end nor let this process end. */
  readonly hung: ReadonlySet<string>;
}

/** The machine, as far as it may be looked at. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostName: string;
  /** `/proc`, unless a test has its own. */
  readonly proc: string;
  readonly run: HostTools['run'];
}

export interface Limits {
  /** Of everything. */
  readonly allMs: number;
  /** To find and reach the endpoint, its certificate included. */
  readonly connectMs: number;
  /** Of one request to the bucket. */
  readonly requestMs: number;
  readonly credentialsMs: number;
  /** Of a look at the files of the folder. */
  readonly folderMs: number;
}

/** What is looked at, and by which means. */
export interface Patient extends Configured {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly access: S3Access | undefined;
  /** One small object may be written. */
  readonly write: boolean;
  /** A look as the agent takes it every few minutes: one list of one key, and more only when that fails. */
  readonly isBrief?: true;
}
