import { hostname, tmpdir } from 'node:os';
import { createFolderSource } from '../adapters/folder-source.ts';
import { createProcessTable } from '../adapters/proc-table.ts';
import { systemClock } from '../adapters/system-time.ts';
import { rootRules } from '../compose-parts.ts';
import { composePlaces } from '../compose-places.ts';
import { createCompanionFilter } from '../domain/companion-filter.ts';
import { readOneFileSession } from '../formats/native.ts';
import { formatReaders } from '../formats/registry.ts';
import { planFolder } from '../services/planner.ts';
import { SessionReadings } from '../services/session-reading.ts';
import { loadAnswering } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { planText } from './plan-text.ts';

/** `trainlogd plan`: what would be recognised and shipped, under which keys. Sends nothing, writes nothing. */
export async function plan(edge: Edge, flags: GlobalFlags, directory: string | undefined): Promise<number> {
  const overrides = { 'watch.directory': directory };
  const {
    config,
    warnings,
    folder: real,
  } = await loadAnswering(edge, flags, { overrides, needs: ['folder'] });
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const source = createFolderSource({
    directory: config.watch.directory,
    stateDirectory: tmpdir(),
    polling: false,
    clock: systemClock,
    onDegraded: () => {},
    onClaimsImpossible: () => {},
    onLimit: () => {},
  });
  try {
    const state = await source.state();
    const named = JSON.stringify(config.watch.directory);
    if (state.state === 'missing')
      edge.stderr(
        `warning: the folder ${named} is not there: create it, mount it, or correct watch.directory\n`,
      );
    if (state.state === 'unreadable')
      edge.stderr(`warning: the folder ${named} cannot be read, ${state.code}: let this user read it\n`);
    const places = composePlaces({
      config,
      env: edge.env,
      host: hostname(),
      source,
      processes: createProcessTable(),
      clock: systemClock,
      events: { emit: () => {} },
      network: () => state.state === 'present' && state.network,
    });
    const folder = await planFolder(
      {
        source,
        readings: new SessionReadings({ source, readers: formatReaders, oneFile: readOneFileSession }),
        places,
        rules: rootRules(config, source),
        choose: createCompanionFilter(config.companions),
        compression: config.companions.compression,
        keyTemplate: config.destination.keyTemplate,
        host: hostname(),
        folder: real,
        nowMs: systemClock.nowMs(),
      },
      new AbortController().signal,
    );
    edge.stdout(flags.json ? `${JSON.stringify(folder, null, 2)}\n` : planText(folder));
    return exitCode.ok;
  } finally {
    await source.close();
  }
}
