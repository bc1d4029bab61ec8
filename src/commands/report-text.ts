import { bytesSaid, countSaid, spanSaid } from '../domain/amounts.ts';
import type { Finding, Level } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import { wrapped } from './wrapped.ts';

const findingIndent = '            ';
const factIndent = '                ';
const marks: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'warning', critical: 'CRITICAL' };

/** For people, at most 80 columns wide where words allow: what is wrong first, the worst of it at the top. */
export function reportText(report: Report, nowMs: number): string {
  const at = report.at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
  const head = wrapped(`trainlogd on ${report.host}, ${at}: ${verdict(report)}`, '', '  ');
  const findings = report.findings.flatMap((finding) => ['', ...findingLines(finding)]);
  return `${[...head, ...findings, '', ...factLines(report, nowMs)].join('\n')}\n`;
}

function verdict({ findings }: Report): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [critical, warnings] = [count('critical'), count('warning')];
  if (critical + warnings === 0) return 'all is well';
  const worst = critical === 0 ? [] : [`${countSaid(critical, 'thing')} to do now`];
  return [...worst, ...(warnings === 0 ? [] : [countSaid(warnings, 'warning')])].join(', ');
}

function findingLines({ level, code, finding, evidence, remedy }: Finding): string[] {
  const mark = `  ${marks[level].padEnd(findingIndent.length - 2)}`;
  return [
    ...wrapped(`${finding} (${code})`, mark, findingIndent),
    ...(evidence === undefined ? [] : wrapped(`found: ${evidence}`, findingIndent, `${findingIndent}  `)),
    ...(remedy === undefined ? [] : wrapped(`to do: ${remedy}`, findingIndent, `${findingIndent}  `)),
  ];
}

function factLines(report: Report, nowMs: number): string[] {
  const { folder, destination, sessions, watch, unfinishedUploads: parts, disks, lastSuccessAt } = report;
  const { open, shipping, shipped, skipped, parkedFiles } = sessions;
  const missed =
    watch.missedByEvents === 0 ? '' : `, ${countSaid(watch.missedByEvents, 'change')} found by looking alone`;
  const looks = watch.by === 'none' ? '' : `; ${countSaid(watch.looks, 'look')} at all of it${missed}`;
  return [
    ...fact('folder', `${folder} (${watch.state})${looks}`),
    ...fact('destination', destination),
    ...fact(
      'sessions',
      `${shipped} shipped, ${shipping} being shipped, ${open} open, ${skipped} left to backfill`,
    ),
    ...fact('to send', backlogSaid(report)),
    ...(parkedFiles === 0 ? [] : fact('parked', `${countSaid(parkedFiles, 'file')}, until you act`)),
    ...(parts.count === 0
      ? []
      : fact('in parts', `${countSaid(parts.count, 'upload')}, ${bytesSaid(parts.bytes)}`)),
    ...disks.flatMap((disk) => fact(`${disk.of} disk`, diskSaid(disk))),
    ...credentialLines(report, nowMs),
    ...clockLines(report),
    ...(lastSuccessAt === undefined
      ? []
      : fact('last arrival', `${lastSuccessAt}, ${spanSaid(nowMs - Date.parse(lastSuccessAt))} ago`)),
  ];
}

function fact(name: string, text: string): string[] {
  return wrapped(text, `  ${name.padEnd(factIndent.length - 2)}`, factIndent);
}

function backlogSaid({ backlog }: Report): string {
  const { files, bytes, oldestAgeSeconds, stuckSeconds, bytesPerSecond, drainSeconds } = backlog;
  const span = (seconds: number) => spanSaid(seconds * 1000);
  return [
    `${countSaid(files, 'file')}, ${bytesSaid(bytes)}`,
    ...(oldestAgeSeconds === undefined ? [] : [`known for ${span(oldestAgeSeconds)}`]),
    ...(stuckSeconds === undefined ? [] : [`nothing has moved for ${span(stuckSeconds)}`]),
    ...(bytesPerSecond === undefined ? [] : [`${bytesSaid(bytesPerSecond)}/s`]),
    ...(drainSeconds === undefined ? [] : [`done in ${span(drainSeconds)}`]),
  ].join(', ');
}

function diskSaid({ freeBytes, totalBytes, freeInodes }: Report['disks'][number]): string {
  const inodes = freeInodes === undefined ? '' : `, ${countSaid(freeInodes, 'inode')}`;
  return `${bytesSaid(freeBytes)} of ${bytesSaid(totalBytes)} free${inodes}`;
}

function credentialLines({ credentials }: Report, nowMs: number): string[] {
  if (credentials === undefined) return [];
  const { source, identity, valid, problem, expiresAt } = credentials;
  const taken = valid === undefined ? [] : [valid ? 'the destination takes them' : 'not usable'];
  const left = expiresAt === undefined ? [] : [`end in ${spanSaid(Date.parse(expiresAt) - nowMs)}`];
  const who = identity === undefined ? [] : [identity];
  return fact('credentials', [source, ...taken, ...left, ...who, ...(problem ? [problem] : [])].join('; '));
}

function clockLines({ clockBehindMs = 0 }: Report): string[] {
  if (clockBehindMs === 0) return [];
  const side = clockBehindMs > 0 ? 'behind' : 'ahead of';
  return fact('clock', `${spanSaid(Math.abs(clockBehindMs))} ${side} the server's`);
}
