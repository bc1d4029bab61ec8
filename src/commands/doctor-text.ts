import type { Room } from '../doctor/codes.ts';
import type { Examination, Examined } from '../doctor/examine.ts';
import type { Diagnosis } from '../doctor/finding.ts';
import { counted } from './human.ts';
import { wrapped } from './wrapped.ts';

const marks = { critical: 'WRONG', warning: 'warning' } as const;
const labelWidth = 10;
const roomWidth = 15;

/** For people, at most 80 columns wide where words allow: how it stands, what to do, the worst first; then what is well. */
export function examinationText(examination: Examination): string {
  const problems = alike(problemsIn(examination)).flatMap((ones) => ['', ...problemLines(ones)]);
  const well = examination.rooms.flatMap(wellLines);
  const lines = [
    ...wrapped(verdict(examination), '', ''),
    ...problems,
    ...headed('ok', well),
    ...headed('not looked at', unseenLines(examination)),
  ];
  return `${lines.join('\n')}\n`;
}

type Problem = Diagnosis & { readonly level: keyof typeof marks; readonly room: Room };

/** Of two that are as bad, what was looked at goes before what the agent says: it says the consequence. */
function problemsIn({ rooms }: Examination): Problem[] {
  const all = rooms.flatMap(({ room, findings }) =>
    findings.flatMap((one) => (one.level === 'ok' ? [] : [{ ...one, level: one.level, room }])),
  );
  const rank = ({ level, code }: Problem) =>
    (level === 'critical' ? 0 : 2) + (code.startsWith('agent.') ? 1 : 0);
  return all.toSorted((one, other) => rank(one) - rank(other));
}

/** Those that differ in nothing but what was found have one thing to do. */
function alike(problems: readonly Problem[]): Problem[][] {
  const rest = ({ finding: _, ...others }: Problem) => JSON.stringify(others);
  return [...Map.groupBy(problems, rest).values()];
}

function problemLines([first, ...others]: readonly Problem[]): string[] {
  if (first === undefined) return [];
  const { level, room, code, evidence, remedy, statement } = first;
  return [
    ...labelled(marks[level], `${room}: ${first.finding}`, labelWidth),
    ...others.flatMap(({ finding }) => labelled('', `${room}: ${finding}`, labelWidth)),
    ...(evidence === undefined ? [] : labelled('  found', evidence, labelWidth)),
    ...(remedy === undefined ? [] : labelled('  to do', remedy, labelWidth)),
    // To be copied: as it is, whatever its width.
    ...(statement === undefined
      ? []
      : JSON.stringify(statement, null, 2)
          .split('\n')
          .map((line) => ' '.repeat(labelWidth) + line)),
    ...labelled('  code', code, labelWidth),
  ];
}

function wellLines({ room, findings }: Examined): string[] {
  const said = findings.filter(({ level }) => level === 'ok').map(({ finding }) => finding);
  return said.length === 0 ? [] : labelled(`  ${room}`, said.join('; '), roomWidth + 2);
}

/** Where there is nothing to look at, nothing is said; several rooms often have one reason. */
function unseenLines({ rooms }: Examination): string[] {
  const unseen = rooms.filter(({ needless }) => !needless);
  const byReason = Map.groupBy(unseen, ({ skipped }) => skipped);
  return [...byReason].flatMap(([skipped, those]) =>
    skipped === undefined
      ? []
      : wrapped(`${those.map(({ room }) => room).join(', ')}: ${skipped}`, '  ', '    '),
  );
}

function headed(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', head, ...lines];
}

function labelled(label: string, text: string, width: number): string[] {
  return wrapped(text, label.padEnd(width), ' '.repeat(width));
}

function verdict({ rooms, host }: Examination): string {
  const levels = rooms.flatMap(({ findings }) => findings.map(({ level }) => level));
  const wrong = levels.filter((level) => level === 'critical').length;
  const warnings = levels.filter((level) => level === 'warning').length;
  const skipped = rooms.filter((room) => room.skipped !== undefined && !room.needless).length;
  const unseen = skipped === 0 ? '' : `; ${counted(skipped, 'check')} could not look`;
  const also = warnings === 0 ? '' : `; ${counted(warnings, 'warning')}`;
  const things = wrong === 1 ? '1 thing is wrong' : `${wrong} things are wrong`;
  return `${host}: ${wrong > 0 ? things : 'nothing is wrong, as far as was looked'}${also}${unseen}`;
}
