import * as answers from '../faults/fault.ts';
import type { Rule } from '../faults/rules.ts';

/** What a bad network and a bad day of the server do, each to so many of all requests. */
const rare = 0.004;
const common = 0.01;

export const dailyFaults: readonly Rule[] = [
  { name: 'reset before', on: { probability: common }, fault: { do: 'reset', at: 'before' } },
  {
    name: 'reset in the body',
    on: { operation: ['PutObject', 'UploadPart'], probability: common },
    fault: { do: 'reset', at: 'body', afterBytes: 10 },
  },
  { name: 'reset when applied', on: { probability: common }, fault: { do: 'reset', at: 'applied' } },
  { name: 'answer dropped', on: { probability: common }, fault: { do: 'drop' } },
  { name: 'answer truncated', on: { probability: common }, fault: { do: 'truncate', keep: 0.6 } },
  { name: 'late', on: { probability: common }, fault: { do: 'delay', ms: 150 } },
  refusal('500', answers.internalError, common),
  refusal('502', answers.badGateway, common),
  refusal('503', answers.slowDown(), common),
  refusal('503 with Retry-After', answers.slowDown(1), rare),
  refusal('403 ExpiredToken', answers.expiredToken, rare),
  {
    name: '500 when applied',
    on: { probability: common },
    fault: { do: 'answer', answer: answers.internalError, applied: true },
  },
  {
    name: '200 with an error, applied',
    on: { operation: 'CompleteMultipartUpload', probability: 0.1 },
    fault: { do: 'answer', answer: answers.errorInSuccess, applied: true },
  },
  {
    name: '200 with an error, not applied',
    on: { operation: 'CompleteMultipartUpload', probability: 0.1 },
    fault: { do: 'answer', answer: answers.errorInSuccess, applied: false },
  },
  {
    name: 'garbage',
    on: { operation: ['ListObjectsV2', 'CreateMultipartUpload'], probability: common },
    fault: { do: 'answer', answer: answers.garbage, applied: false },
  },
  {
    name: 'byte of the body changed',
    on: { operation: ['PutObject', 'UploadPart'], probability: common },
    fault: { do: 'corrupt', what: 'request' },
  },
  {
    name: 'ETag of the answer changed',
    on: { operation: ['PutObject', 'UploadPart'], probability: rare },
    fault: { do: 'corrupt', what: 'answer' },
  },
];

function refusal(name: string, answer: answers.CannedAnswer, probability: number): Rule {
  return { name, on: { probability }, fault: { do: 'answer', answer, applied: false } };
}
