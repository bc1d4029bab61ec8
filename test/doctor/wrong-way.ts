import type { Code } from '../../src/doctor/codes.ts';
import type { EventName } from '../../src/ports/events.ts';
import { type ScriptedAnswer, type ScriptedRequest, scriptedS3 } from '../support/scripted-s3.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** One way of being wrong, and what everything that speaks of it must say. */
export interface WrongWay {
  readonly name: string;
  /** What is different from a configuration that works. */
  readonly make: () => Promise<Env>;
  readonly doctor: { readonly code: Code; readonly cause: RegExp; readonly remedy: RegExp };
  /** What the agent's report says where it does not look as far as the doctor. */
  readonly report?: { readonly code: string; readonly cause: RegExp; readonly remedy: RegExp };
  /** The agent's own line; none where it takes a minute to come. */
  readonly log?: {
    readonly event?: EventName;
    readonly code?: string;
    readonly remedy: RegExp;
  };
  /** How the host's clock differs from the true time. */
  readonly clockMs?: number;
  readonly write?: true;
  /** How long the doctor waits for what never comes. */
  readonly waitMs?: number;
}

export const secrets = {
  wrong: 'wrong-secret-which-nobody-may-read-0000001',
  token: 'FwoGZXIvYXdzEBYaDEXAMPLEsessiontokenwhichnobodymayread',
  amazon: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

export const blocked = (code: string, remedy: RegExp) => ({ code, remedy });

/** A server that answers what the real one cannot be made to. */
export const scripted = async (answer: (request: ScriptedRequest) => ScriptedAnswer): Promise<Env> => ({
  AWS_ENDPOINT_URL_S3: (await scriptedS3(answer)).endpoint,
});
