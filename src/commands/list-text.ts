import type { ListedSession, SessionLine } from '../reading/list-sessions.ts';
import { cutEnd } from './columns.ts';
import { humanBytes, humanCost, humanDuration, humanTime } from './human.ts';
import { oneLine } from './one-line.ts';

/**
 * Two lines a session within 80 columns: ids have up to 128 characters, and are there to be copied whole.
 *
 *   run-17-20261128T190800Z-3fa2c1
 *     2026-11-28 19:08  completed    1h02m  1.23 GiB    2.40 USD  transformers, ada
 */
const whoColumns = 19;

export const listHead = '  STARTED (UTC)     STATUS        TOOK      SIZE       COST  FRAMEWORK, USER\n';

export function sessionLines(line: SessionLine): string {
  const id = oneLine(line.id);
  if (!('problem' in line)) return `${id}\n  ${cells(line)}\n`;
  const remedy = line.remedy === undefined ? '' : `: ${line.remedy}`;
  return `${id}\n  ${line.problem}: ${oneLine(`${line.key}: ${line.cause}${remedy}`)}\n`;
}

function cells(session: ListedSession): string {
  const { durationSeconds, cost, currency, framework, user, missing } = session;
  const who = [framework, user].filter((part) => part !== undefined).join(', ');
  return [
    `${humanTime(session.startedAt)} `,
    session.status.padEnd(11),
    cut(durationSeconds === undefined ? '' : humanDuration(durationSeconds), 6).padStart(6),
    humanBytes(session.bytes).padStart(9),
    cut(cost === undefined ? '' : oneLine(humanCost(cost, currency)), 10).padStart(10),
    ` ${cutEnd(oneLine(who), whoColumns)}`,
    missing === 0 ? '' : `\n  misses ${missing === 1 ? '1 file' : `${missing} files`}`,
  ]
    .join(' ')
    .trimEnd();
}

export function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}
