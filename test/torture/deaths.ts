import type { Moment } from '../faults/fault.ts';
import type { S3Operation, S3Request } from '../faults/operation.ts';
import type { Match } from '../faults/rules.ts';
import type { Traffic } from '../faults/traffic.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { SessionKind } from './training.ts';

/** Where in its work the program is killed. */
export interface Death {
  readonly name: string;
  /** Undefined: at a moment that is drawn, whatever it does. */
  readonly at: Moment | undefined;
  readonly on: Match;
  /** The session without which it would hardly come to that. */
  readonly needs: SessionKind;
}

const logKey = /^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/;

/** `traffic` knows which keys were written before: a log's first write announces, the later ones say more. */
export function deathsOf(traffic: Traffic): readonly Death[] {
  const isLog = ({ key }: S3Request) => logKey.test(key);
  const isFirst = ({ key }: S3Request) => traffic.putsOf(key) === 0;
  const isResume = ({ key }: S3Request) => key.includes('/.resume/');
  const puts = (name: string, needs: SessionKind, is: (request: S3Request) => boolean, ats: Moment[]) =>
    ats.map((at) => death(name, at, needs, { operation: 'PutObject', is }));
  const all: readonly Moment[] = ['before', 'body', 'applied', 'answered'];
  const ends: readonly Moment[] = ['before', 'applied', 'answered'];
  const asks = (operation: S3Operation, needs: SessionKind, ats: readonly Moment[]) =>
    ats.map((at) => death(operation, at, needs, { operation }));
  return [
    ...puts('first log', 'large', (request) => isLog(request) && isFirst(request), [...ends]),
    ...puts('later log', 'large', (request) => isLog(request) && !isFirst(request), [...ends]),
    ...puts('companion', 'small', (request) => !isLog(request) && !isResume(request), [...all]),
    ...puts(
      'companion again',
      'rewritten',
      (request) => !isLog(request) && !isResume(request) && !isFirst(request),
      [...ends],
    ),
    ...puts('resume record', 'growing', isResume, [...ends]),
    ...asks('ListObjectsV2', 'small', ['applied']),
    ...asks('HeadObject', 'large', ['applied']),
    ...asks('CreateMultipartUpload', 'large', ends),
    ...asks('UploadPart', 'large', all),
    ...asks('UploadPart', 'growing', all).map(later),
    ...asks('CompleteMultipartUpload', 'large', ends),
    ...asks('CompleteMultipartUpload', 'growing', ends).map(inGrowing),
    ...asks('UploadPartCopy', 'regrown', ends),
    ...drawn,
  ];
}

const drawn: readonly Death[] = [
  { name: 'while it starts', at: undefined, on: {}, needs: 'small' },
  { name: 'at any moment', at: undefined, on: {}, needs: 'growing' },
  { name: 'at any moment', at: undefined, on: {}, needs: 'large' },
];

/**
 * A log whose write was interrupted is looked at once more when no answer to it can come any more, which is longer than
 * most lives last: from time to time there is one in which that comes about.
 */
export const afterRest: Death = { name: 'after a long life', at: undefined, on: {}, needs: 'small' };

const words: Readonly<Record<Moment, string>> = {
  before: 'before',
  body: 'in the middle of',
  applied: 'applied, not answered:',
  answered: 'right after',
};

function death(what: string, at: Moment, needs: SessionKind, on: Match): Death {
  return { name: `${words[at]} ${what}`, at, on, needs };
}

/** A part that is not the first one that this life sends. */
function later(of: Death): Death {
  return { ...of, name: `${of.name} (a later one)`, on: { ...of.on, nth: 2 } };
}

function inGrowing(of: Death): Death {
  return { ...of, name: `${of.name} (growing)`, on: { ...of.on, key: /growing-/ } };
}

/** One of those that were tried least often, so that a run of any length reaches as many as it can. */
export function chooseDeath(
  random: SeededRandom,
  deaths: readonly Death[],
  tried: ReadonlyMap<Death, number>,
): Death {
  const often = (one: Death) => tried.get(one) ?? 0;
  const least = Math.min(...deaths.map(often));
  const [chosen] = random.shuffled(deaths.filter((one) => often(one) === least));
  if (!chosen) throw new Error('there is no way to die');
  return chosen;
}
