import type { Applied, Step } from '../bucket/apply.ts';
import type { Line } from '../bucket/line.ts';
import { differences, type Plan } from '../bucket/plan.ts';
import { counted } from './human.ts';
import { wrapped } from './wrapped.ts';

/** Which bucket, and as whom it was asked. */
export interface Place {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  /** Where the caller's credentials are from. */
  readonly credentials: string;
  /** Whom they belong to, where the endpoint tells. */
  readonly identity?: string;
}

const headings: readonly (readonly [Line['state'], string])[] = [
  ['right', 'as it shall be'],
  ['kept', 'stricter than asked for, or not ours to change: stays'],
  ['withheld', 'left away, because of what it would do'],
  ['lacking', 'not known to this endpoint'],
  ['note', 'not to be seen from here'],
  ['differs', 'differs'],
];

export function planText(plan: Plan, place: Place): string {
  const { bucket, region, endpoint, credentials, identity } = place;
  const who = identity === undefined ? credentials : `${credentials}, ${identity}`;
  const at = endpoint === undefined ? `in ${region}` : `at ${endpoint}`;
  const head = [
    ...wrapped(`s3://${bucket} ${at}`, '', ''),
    ...wrapped(`asked with your credentials: ${who}`, '', '  '),
  ];
  return `${[...head, ...sections(plan), '', verdict(plan)].join('\n')}\n`;
}

export function appliedText({ before, steps, after, unread }: Applied & { before: Plan }): string {
  const now = after === undefined ? [] : ['', 'read again', ...sections(newIn(after, before))];
  const lines = ['', 'changing', ...steps.flatMap(stepLines), ...now];
  const end = after === undefined ? notRead(unread) : [afterwards(after, steps)];
  return `${[...lines, '', ...end].join('\n')}\n`;
}

/** What was told before and is still so is not told again. */
function newIn({ lines }: Plan, before: Plan): Pick<Plan, 'lines'> {
  const told = new Set(before.lines.map((line) => JSON.stringify(line)));
  return { lines: lines.filter((line) => line.state === 'differs' || !told.has(JSON.stringify(line))) };
}

function sections({ lines }: Pick<Plan, 'lines'>): string[] {
  return headings.flatMap(([state, heading]) => {
    const found = lines.filter((line) => line.state === state);
    return found.length === 0 ? [] : ['', heading, ...found.flatMap(textOf)];
  });
}

function textOf(line: Line): string[] {
  const first = (text: string) => wrapped(`${line.setting}: ${text}`, '  ', '    ');
  switch (line.state) {
    case 'right':
      return first(line.have);
    case 'differs':
      return [
        `  ${wrapped(line.setting, '', '').join(' ')}`,
        ...wrapped(`have: ${line.have}`, '    ', '          '),
        ...wrapped(`want: ${line.want}`, '    ', '          '),
      ];
    case 'kept':
      return first(`${line.have} (asked for: ${line.want}): ${line.why}`);
    case 'withheld':
    case 'lacking':
      return first(`${line.want}: ${line.why}`);
    case 'note':
      return first(line.why);
  }
}

function verdict(plan: Plan): string {
  const count = differences(plan);
  if (count === 0) return 'nothing differs';
  return `${counted(count, 'difference')}: trainlogd bucket apply makes it so`;
}

function stepLines(step: Step): string[] {
  const says = (text: string) => wrapped(`${step.setting}: ${text}`, '  ', '    ');
  switch (step.outcome) {
    case 'done':
      return says('done');
    case 'notTried':
      return says('not tried, after what failed before');
    case 'lacking':
      return says(step.why);
    case 'failed':
      return [
        ...says(`FAILED: ${step.failure.message}`),
        ...(step.failure.remedy === undefined
          ? []
          : wrapped(`to do: ${step.failure.remedy}`, '    ', '      ')),
      ];
  }
}

function notRead(unread: Applied['unread']): string[] {
  return wrapped(`what is so now could not be read: ${unread?.message ?? 'unknown'}`, '', '  ');
}

function afterwards(after: Plan, steps: readonly Step[]): string {
  const failed = steps.filter(({ outcome }) => outcome === 'failed').map(({ setting }) => setting);
  if (failed.length > 0) return `not all is done; failed: ${failed.join(', ')}`;
  const count = differences(after);
  return count === 0 ? 'all is as it shall be' : `taken, and still not so: ${counted(count, 'difference')}`;
}

export function planJson(plan: Plan, place: Place): string {
  return text({ ...place, differences: differences(plan), settings: plan.lines });
}

export function appliedJson(
  { before, steps, after, unread }: Applied & { before: Plan },
  place: Place,
): string {
  return text({
    ...place,
    before: before.lines,
    steps: steps.map((step) => (step.outcome === 'failed' ? failedJson(step) : step)),
    ...(after && { differences: differences(after), after: after.lines }),
    ...(unread && { unread: unread.message }),
  });
}

function failedJson({ setting, outcome, failure }: Extract<Step, { outcome: 'failed' }>): object {
  const { code, message, remedy } = failure;
  return { setting, outcome, code, failure: message, ...(remedy !== undefined && { remedy }) };
}

function text(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
