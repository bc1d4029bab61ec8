import type { Examination, Examined } from '../doctor/examine.ts';
import type { Diagnosis } from '../doctor/finding.ts';
import type { Level } from '../domain/finding.ts';
import { counted } from './human.ts';
import { wrapped } from './wrapped.ts';

const indent = '           ';
const marks: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'warning', critical: 'WRONG' };

/** For people, at most 80 columns wide where words allow; what is well takes a line. */
export function examinationText(examination: Examination): string {
  const lines = examination.rooms.flatMap(roomLines);
  return `${[...lines, '', ...wrapped(verdict(examination), '', '')].join('\n')}\n`;
}

function roomLines({ room, findings, skipped, needless }: Examined, at: number): string[] {
  const before = at === 0 ? [room] : ['', room];
  const not = skipped === undefined ? [] : labelled('-', needless ? skipped : `not looked at: ${skipped}`);
  return [...before, ...not, ...findings.flatMap(findingLines)];
}

function findingLines({ level, code, finding, evidence, remedy, statement }: Diagnosis): string[] {
  if (level === 'ok') return labelled(marks.ok, finding);
  return [
    ...labelled(marks[level], `${finding} (${code})`),
    ...(evidence === undefined ? [] : wrapped(`found: ${evidence}`, indent, `${indent}  `)),
    ...(remedy === undefined ? [] : wrapped(`to do: ${remedy}`, indent, `${indent}  `)),
    // To be copied: as it is, whatever its width.
    ...(statement === undefined
      ? []
      : JSON.stringify(statement, null, 2)
          .split('\n')
          .map((line) => indent + line)),
  ];
}

function labelled(mark: string, text: string): string[] {
  return wrapped(text, `  ${mark.padEnd(indent.length - 2)}`, indent);
}

function verdict({ rooms }: Examination): string {
  const levels = rooms.flatMap(({ findings }) => findings.map(({ level }) => level));
  const wrong = levels.filter((level) => level === 'critical').length;
  const warnings = levels.filter((level) => level === 'warning').length;
  const skipped = rooms.filter((room) => room.skipped !== undefined && !room.needless).length;
  const unseen = skipped === 0 ? '' : `; ${counted(skipped, 'check')} could not look`;
  const also = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  if (wrong > 0) return `${wrong === 1 ? '1 thing is' : `${wrong} things are`} wrong${also}${unseen}`;
  return warnings > 0
    ? `nothing keeps logs from the destination, as far as was looked; ${counted(warnings, 'warning')}${unseen}`
    : `nothing keeps logs from the destination, as far as was looked${unseen}`;
}
