import type { Fault } from './fault.ts';
import * as answers from './fault.ts';
import type { S3Operation } from './operation.ts';

/** One row of the matrix: what is done once to each kind of request of each kind of session. */
export interface FaultCase {
  readonly name: string;
  readonly fault: Fault;
  readonly operations: readonly S3Operation[];
  /** A person is needed: named with cause and remedy, where it is not delivered all the same. */
  readonly mayPark?: boolean;
}

const every: readonly S3Operation[] = [
  'CompleteMultipartUpload',
  'CreateMultipartUpload',
  'GetObject',
  'HeadObject',
  'ListObjectsV2',
  'PutObject',
  'UploadPart',
  'UploadPartCopy',
];
const withBody: readonly S3Operation[] = ['CompleteMultipartUpload', 'PutObject', 'UploadPart'];
/** Their answers are read: a page of HTML is no answer. */
const withAnswer: readonly S3Operation[] = [
  'CompleteMultipartUpload',
  'CreateMultipartUpload',
  'ListObjectsV2',
];
const withEtag: readonly S3Operation[] = ['HeadObject', 'PutObject', 'UploadPart'];

export const faultTable: readonly FaultCase[] = [
  { name: 'reset before anything was read', fault: { do: 'reset', at: 'before' }, operations: every },
  {
    name: 'reset in the middle of the body',
    fault: { do: 'reset', at: 'body', afterBytes: 100 },
    operations: withBody,
  },
  { name: 'reset after it was applied', fault: { do: 'reset', at: 'applied' }, operations: every },
  { name: 'answer dropped after it was applied', fault: { do: 'drop' }, operations: every },
  { name: 'answer cut off in its head', fault: { do: 'truncate', keep: 0.1 }, operations: every },
  { name: 'answer cut off near its end', fault: { do: 'truncate', keep: 0.95 }, operations: every },
  { name: 'stalled before it is read', fault: { do: 'stall', at: 'before' }, operations: every },
  {
    name: 'stalled in the middle of the body',
    fault: { do: 'stall', at: 'body', afterBytes: 100 },
    operations: withBody,
  },
  { name: 'stalled after it was applied', fault: { do: 'stall', at: 'applied' }, operations: every },
  { name: 'late by 300 ms', fault: { do: 'delay', ms: 300 }, operations: every },
  { name: 'slow: 8 MiB/s', fault: { do: 'limit', bytesPerSecond: 8 * 1024 * 1024 }, operations: withBody },
  ...refused('500 InternalError', answers.internalError),
  { name: '500 after it was applied', fault: applied(answers.internalError), operations: every },
  ...refused('502 of a proxy', answers.badGateway),
  ...refused('503 SlowDown', answers.slowDown()),
  ...refused('503 SlowDown with Retry-After', answers.slowDown(1)),
  { name: '200 with an error inside', fault: refusing(answers.errorInSuccess), operations: withAnswer },
  {
    name: '200 with an error inside after it was applied',
    fault: applied(answers.errorInSuccess),
    operations: ['CompleteMultipartUpload'],
  },
  { name: '200 with garbage', fault: refusing(answers.garbage), operations: withAnswer },
  { name: '200 with garbage after it was applied', fault: applied(answers.garbage), operations: withAnswer },
  ...refused('403 ExpiredToken', answers.expiredToken),
  ...refused('403 RequestTimeTooSkewed', answers.clockSkewed),
  { name: '403 AccessDenied', fault: refusing(answers.accessDenied), operations: every, mayPark: true },
  {
    name: '404 NoSuchUpload',
    fault: refusing(answers.noSuchUpload),
    operations: ['CompleteMultipartUpload', 'UploadPart'],
  },
  {
    name: '404 NoSuchUpload after it was applied',
    fault: applied(answers.noSuchUpload),
    operations: ['CompleteMultipartUpload'],
  },
  {
    name: '400 InvalidRequest',
    fault: refusing(answers.errorAnswer(400, 'InvalidRequest')),
    operations: ['PutObject', 'UploadPart'],
    mayPark: true,
  },
  { name: 'a byte of the body changed', fault: { do: 'corrupt', what: 'request' }, operations: withBody },
  {
    name: 'the ETag of the answer changed',
    fault: { do: 'corrupt', what: 'answer' },
    operations: withEtag,
  },
  { name: 'Date an hour ahead', fault: { do: 'shiftDate', byMs: 3_600_000 }, operations: every },
];

function refused(name: string, answer: answers.CannedAnswer): FaultCase[] {
  return [{ name, fault: refusing(answer), operations: every }];
}

function refusing(answer: answers.CannedAnswer): Fault {
  return { do: 'answer', answer, applied: false };
}

function applied(answer: answers.CannedAnswer): Fault {
  return { do: 'answer', answer, applied: true };
}
