import type { EndObservations } from '../domain/end-rule.ts';
import { joinPath } from '../domain/watched-path.ts';
import type { Entry, FileSource } from '../ports/file-source.ts';
import type { Journal } from '../ports/journal.ts';
import type { ProcessIdentity, ProcessTable } from '../ports/process-table.ts';
import { probedVariables } from '../probes/registry.ts';
import type { SurveyedSession } from './folder-survey.ts';
import { believedProcess } from './session-process.ts';
import type { SessionReading } from './session-reading.ts';
import type { TrackedSession } from './tracked-session.ts';

/** What of a session's end can be seen from outside its files' text: its process, who holds it open, its marker. */
export class EndEvidence {
  readonly #options: { source: FileSource; processes: ProcessTable; journal: Journal };

  constructor(options: { source: FileSource; processes: ProcessTable; journal: Journal }) {
    this.#options = options;
  }

  /** Once it was seen alive, a process that is gone is an end, unless the file names a living one by now. */
  async process(tracked: TrackedSession, surveyed: SurveyedSession): Promise<EndObservations['process']> {
    const { source, processes, journal } = this.#options;
    const known = tracked.process ?? tracked.record?.process;
    if (known && (await processes.isAlive(known))) {
      tracked.process = known;
      await this.#remember(tracked, known);
      return { pid: known.pid, state: 'alive' };
    }
    const entry = surveyed.files.find((file) => file.path === joinPath(tracked.root, 'session.pid'));
    const named = entry && (await believedProcess(source, processes, entry));
    tracked.process = named;
    if (named && tracked.record) {
      journal.setProcess(tracked.record.sid, named);
      tracked.record = { ...tracked.record, process: named };
    }
    if (named) {
      await this.#remember(tracked, named);
      return { pid: named.pid, state: 'alive' };
    }
    return known && { pid: known.pid, state: 'dead' };
  }

  /** At each look: it can be asked only while it lives, and a shell that becomes the training has set more by then. */
  async #remember(tracked: TrackedSession, process: ProcessIdentity): Promise<void> {
    const variables = await this.#options.processes.variables(process, probedVariables);
    tracked.trainer = variables ?? tracked.trainer ?? {};
  }

  async isHeldOpen(files: readonly Entry[]): Promise<boolean> {
    const names = new Set(files.map(({ stat }) => `${stat.dev}:${stat.ino}`));
    return (await this.#options.processes.heldOpen(names)).size > 0;
  }
}

/** Empty on purpose: a marker with something in it may be a file of the training. One of an earlier run says nothing. */
export function markerOf(
  surveyed: SurveyedSession,
  { begunAtMs }: Pick<SessionReading, 'begunAtMs'>,
): '_SUCCESS' | '_FAILED' | undefined {
  return (['_FAILED', '_SUCCESS'] as const).find((marker) => {
    const entry = fileOf(surveyed, marker);
    return entry?.stat.sizeBytes === 0 && modifiedAtMs(entry) >= begunAtMs;
  });
}

/**
 * The endings that are about this process. A result.json of a copied directory may be older than its session.pid, so
 * that counts only where the process was seen.
 */
export function endingsSince(
  process: EndObservations['process'],
  surveyed: SurveyedSession,
  { endings }: Pick<SessionReading, 'endings'>,
): EndObservations['endings'] {
  const result = fileOf(surveyed, 'result.json');
  const pid = fileOf(surveyed, 'session.pid');
  const isEarlier = process && result && pid && modifiedAtMs(result) < modifiedAtMs(pid);
  return isEarlier ? endings.filter(({ by }) => by !== 'result.json') : endings;
}

function fileOf({ root, files }: SurveyedSession, name: string): Entry | undefined {
  return files.find(({ path }) => path === joinPath(root.path, name));
}

function modifiedAtMs({ stat }: Entry): number {
  return Number(stat.mtimeNs / 1_000_000n);
}
