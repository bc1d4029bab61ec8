import { composeOwnRecords } from '../compose-reading.ts';
import type { Config } from '../config/schema.ts';
import { isLoss } from '../reading/expected-object.ts';
import type { Reading } from '../reading/reading.ts';
import { type VerifyStep, verifyBucket } from '../reading/verify-bucket.ts';
import { type Edge, exitCode } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { plainJson } from './one-line.ts';
import { StatusLine } from './status-line.ts';
import { lossLine, monthLine, verdictText } from './verify-text.ts';
import { withReading } from './with-reading.ts';

/** `trainlogd verify`: is every object there, unchanged, that logs list and that the journal of this machine recorded? */
export function verify(edge: Edge, flags: GlobalFlags & { readonly month?: string }): Promise<number> {
  const all = async (reading: Reading, signal: AbortSignal, config: Config) => {
    const records = composeOwnRecords(config);
    const { expireAfterDays } = config.bucket;
    const progress = new StatusLine(edge);
    const totals = { sessions: 0, bytes: 0, losses: 0 };
    try {
      for await (const step of verifyBucket({ reading, expireAfterDays }, records, flags.month, signal)) {
        progress.clear();
        edge.stdout(flags.json ? jsonLines(step) : textOf(step));
        if (step.kind === 'session') {
          totals.sessions += 1;
          totals.bytes += step.of.bytes;
          totals.losses += step.of.verdicts.filter(isLoss).length;
        }
        progress.show(
          () => `${counted(totals.sessions, 'session')}, ${humanBytes(totals.bytes)}, ${totals.losses} lost`,
        );
      }
    } finally {
      progress.clear();
    }
    const unasked = records.unasked();
    if (unasked !== undefined) edge.stderr(`${unaskedText(unasked, config.state.directory)}\n`);
    if (!flags.json) edge.stdout(verdictText(totals));
    return totals.losses === 0 ? exitCode.ok : lost;
  };
  // Where it stopped, nothing is proven of the rest.
  return withReading(edge, flags, all, exitCode.unsent, ['state', 'destination']);
}

const lost = 1;

function textOf(step: VerifyStep): string {
  if (step.kind === 'month') return monthLine(step.of);
  return step.of.verdicts.filter(isLoss).map(lossLine).join('');
}

/** One line for each verdict, one for each month. */
function jsonLines(step: VerifyStep): string {
  const values =
    step.kind === 'month' ? [step.of] : step.of.verdicts.map((one) => ({ month: step.month, ...one }));
  return values.map((value) => `${plainJson(JSON.stringify(value))}\n`).join('');
}

function unaskedText(unasked: 'none' | 'held', stateDirectory: string): string {
  const at = `in ${JSON.stringify(stateDirectory)}`;
  const only = 'only what the logs in the bucket list was looked for';
  return unasked === 'none'
    ? `there is no journal ${at}: ${only}`
    : `the journal ${at} is held by a program that does not answer: ${only}; stop it, or run this again`;
}
