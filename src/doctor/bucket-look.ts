import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { createS3Client } from '../adapters/s3-client.ts';
import { decodeKey } from '../adapters/s3-find.ts';
import type { S3Destination } from '../config/config.ts';
import { Failure } from '../domain/failure.ts';
import { companionFolder, fixedPrefix, sessionLogKey } from '../domain/object-key.ts';
import { type Answers, noteAnswers } from './answers.ts';
import { type Asking, failed, isDenied, list, type Tried, tryToList, tryToRead } from './asking.ts';
import { withCase } from './bucket-case.ts';
import type { Room } from './codes.ts';
import { diagnose } from './diagnose.ts';
import type { Diagnosis } from './finding.ts';
import type { Patient } from './patient.ts';
import { tryToWrite, type Written } from './probe-write.ts';
import { within } from './within.ts';

/** What the bucket answered. */
export interface BucketLook {
  readonly asked: boolean;
  /** What kept us from asking further, by the room that it belongs to. */
  readonly troubles: Partial<Record<Room, Diagnosis>>;
  /** What the troubles were told by. */
  readonly failure?: Failure;
  readonly answers: Answers;
  readonly tried: readonly Tried[];
  /** Under the prefix, as far as it was looked at. */
  readonly objects: number;
  readonly written?: Written;
}

/** Asks for nothing that the least policy denies, unless that was denied before. */
export async function lookAtBucket(visit: Patient, destination: S3Destination): Promise<BucketLook> {
  const { clock, limits, access } = visit;
  const answers: Answers = { dates: [] };
  const none = { asked: false, troubles: {}, answers, tried: [], objects: 0 };
  const failure = await credentialsFailure(visit);
  if (failure !== undefined)
    return { ...none, failure, troubles: diagnose(failure, visit, destination, answers) };
  const client = createS3Client(destination, limits.requestMs, access, true);
  noteAnswers(client, answers, clock);
  try {
    const asking = { visit, destination, client, answers };
    return await withCase(await ask(asking), asking);
  } finally {
    client.destroy();
  }
}

async function credentialsFailure({ access, clock, limits }: Patient): Promise<Failure | undefined> {
  const late = new Failure({
    kind: 'blocked',
    code: 'CredentialsTimeout',
    attempted: `getting credentials: no answer within ${limits.credentialsMs / 1000} s`,
    remedy: 'check the process or service that gives them: it does not answer',
  });
  try {
    const current = async () => void (await access?.credentials.current());
    return await within(clock, limits.credentialsMs, late, current);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

async function ask(asking: Asking): Promise<BucketLook> {
  const { visit, destination, answers } = asking;
  const { keyTemplate } = destination;
  const prefix = fixedPrefix(keyTemplate);
  const listed = await list(asking, prefix);
  const first: Tried = { action: 's3:ListBucket', on: prefix, ...failed(listed) };
  const base = { asked: true, answers, objects: 0 };
  if (listed instanceof Failure && !isDenied(listed)) {
    const troubles = diagnose(listed, visit, destination, answers);
    return { ...base, failure: listed, troubles, tried: [] };
  }
  const objects = listed instanceof Failure ? 0 : (listed.Contents?.length ?? 0);
  if (visit.isBrief && !(listed instanceof Failure))
    return { ...base, troubles: {}, objects, tried: [first] };
  const nowMs = visit.clock.nowMs();
  const session = 'trainlogd-doctor';
  const others =
    listed instanceof Failure
      ? elsewhere(prefix)
      : [sessionLogKey(keyTemplate, nowMs, session), companionFolder(keyTemplate, nowMs, session)];
  const [more, read, written] = await Promise.all([
    Promise.all(others.map((on) => tryToList(asking, on))),
    listed instanceof Failure ? [] : tryToRead(asking, readable(listed)),
    visit.write ? tryToWrite(asking, prefix) : undefined,
  ]);
  const tried = [first, ...more, ...read, ...(written?.tried ?? [])];
  return { ...base, troubles: {}, objects, tried, ...(written && { written }) };
}

/** Where a policy may have been meant for, when ours is denied. */
function elsewhere(prefix: string): string[] {
  return ['training-logs/'].filter((other) => other !== prefix);
}

const archived = /^(GLACIER|DEEP_ARCHIVE)$/;

/** An object that has a byte to read; one in an archive has not. */
function readable({ Contents = [] }: ListObjectsV2CommandOutput): string | undefined {
  const one = Contents.find(({ Size = 0, StorageClass = '' }) => Size > 0 && !archived.test(StorageClass));
  return one?.Key === undefined ? undefined : decodeKey(one.Key);
}
