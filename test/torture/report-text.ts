import type { TortureReport } from './torture.ts';

/** For people: what happened, what is there, what is wrong. */
export function showReport(report: TortureReport): string {
  const { deaths, requests, faults, resent, bucket, unfinished, problems } = report;
  const lines = [
    `${report.kills} kills, seed ${report.seed}, ${report.seconds} s, ${report.lastLifeSeconds} of them in peace at last: ${report.sessions} sessions, ${mib(report.trainedBytes)} MiB`,
    '',
    ...table([
      ['killed', 'tried', 'reached'],
      ...Object.entries(deaths).map(([name, { tried, reached }]) => [name, tried, reached]),
    ]),
    '',
    ...table([
      ['request', 'sent', 'MiB', 'answers'],
      ...Object.entries(requests).map(([name, { requests: sent, requestBytes, answers }]) => [
        name,
        sent,
        mib(requestBytes),
        Object.entries(answers)
          .map(([status, count]) => `${status === '0' ? 'none' : status} × ${count}`)
          .join(', '),
      ]),
    ]),
    ...(Object.keys(faults).length === 0
      ? []
      : ['', ...table([['fault', 'times'], ...Object.entries(faults)])]),
    '',
    `in the bucket: ${bucket.logs} logs in ${bucket.logVersions} versions, ${bucket.companions} files in ${bucket.companionVersions} versions, ${bucket.resumeVersions} resume records, ${mib(bucket.comparedBytes)} MiB compared`,
    `unfinished uploads: ${unfinished.inLedger} in the ledger, ${unfinished.unanswered} begun by a request whose answer nobody saw`,
    `parts sent again: ${mib(resent.partBytes)} MiB, ${mib(resent.perKillBytes)} a kill, ${mib(resent.allowedBytes)} may be`,
    problems.length === 0 ? 'nothing lost, nothing torn, nothing twice' : `${problems.length} problems:`,
    ...problems.slice(0, 50),
  ];
  return `${lines.join('\n')}\n`;
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        typeof cell === 'number'
          ? String(cell).padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
