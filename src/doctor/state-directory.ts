import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { errnoOf } from '../adapters/errno.ts';
import { fileSystemKind } from '../adapters/file-system-kind.ts';
import { journalFileOf } from '../adapters/journal-file.ts';
import { StateError } from '../adapters/journal-trouble.ts';
import { openJournal } from '../adapters/open-journal.ts';
import { probeStateDirectory } from '../adapters/state-probe.ts';
import { parkedFindings } from '../services/assess-agent.ts';
import { existing, uidOf, writableProblem } from './access.ts';
import { agentFindings } from './agent.ts';
import { type Diagnosis, found, type NotLooked } from './finding.ts';
import { checkMount, folderOf } from './hung-places.ts';
import type { Visit } from './visit.ts';

const writable = (directory: string) =>
  `let the user that trainlogd runs as own it (chown, chmod 700 ${JSON.stringify(directory)}), or name another state.directory`;

/** Whether the journal can be kept there, whose it is, and what the agent that holds it says of itself. */
export async function checkState(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { stateDirectory: directory, machine } = visit;
  if (directory === undefined) return { because: 'state.directory is not usable' };
  if (visit.hung.has(directory)) {
    const said = `the state directory ${JSON.stringify(directory)} does not answer`;
    return [found('critical', 'state.unwritable', said, { remedy: checkMount })];
  }
  const network = await networkProblem(directory);
  if (network !== undefined) return [network];
  const agent = await visit.agent();
  if (agent !== undefined) return await agentFindings(agent, visit);
  const named = `the state directory ${JSON.stringify(directory)}`;
  const there = await ownerOf(directory);
  if (typeof there === 'string') return [await unmade(directory, named, there)];
  const uid = await uidOf(machine.proc, 'self');
  // What root writes there, the agent's user could not write any more.
  if (uid !== there.uid) return [await otherUsers(directory, named, uid, there.uid)];
  const code = probeStateDirectory(directory);
  if (code !== undefined) {
    const said = `${named} cannot be written to`;
    return [found('critical', 'state.unwritable', said, { evidence: code, remedy: writable(directory) })];
  }
  return lookIntoJournal(directory, named, visit);
}

async function ownerOf(directory: string): Promise<{ uid: number } | string> {
  return await stat(directory).catch(errnoOf);
}

async function networkProblem(directory: string): Promise<Diagnosis | undefined> {
  const kind = fileSystemKind((await statfs(await existing(directory))).type);
  // As at a start: containers have their own disk behind FUSE.
  if (!kind.network || kind.name === 'fuse') return undefined;
  const said = `the state directory ${JSON.stringify(directory)} is on a network file system (${kind.name}), where a journal is not safe`;
  const remedy = 'name a local directory as state.directory';
  return found('critical', 'state.network', said, { evidence: kind.name, remedy });
}

async function unmade(directory: string, named: string, code: string): Promise<Diagnosis> {
  const problem = code === 'ENOENT' ? await writableProblem(directory) : code;
  if (problem === undefined) return found('ok', 'state.absent', `${named} is not there yet and can be made`);
  const said =
    code === 'ENOENT'
      ? `${named} is not there and cannot be made by this user`
      : `${named} cannot be looked at`;
  return found('critical', 'state.unwritable', said, { evidence: problem, remedy: writable(directory) });
}

async function otherUsers(
  directory: string,
  named: string,
  uid: number | undefined,
  owner: number,
): Promise<Diagnosis> {
  const problem = await writableProblem(directory);
  const said = `${named} belongs to uid ${owner}, and doctor runs as uid ${uid}`;
  if (problem !== undefined)
    return found('critical', 'state.unwritable', said, { evidence: problem, remedy: writable(directory) });
  const remedy = `run doctor as the user that the agent runs as, to see what it sees: sudo -u '#${owner}' trainlogd doctor`;
  return found('warning', 'state.otherUser', `${said}: the journal was not looked at`, { remedy });
}

function lookIntoJournal(directory: string, named: string, visit: Visit): Diagnosis[] {
  if (!existsSync(journalFileOf(directory)))
    return [found('ok', 'state.ok', `${named} can be written to; no journal yet`)];
  try {
    const journal = openJournal(directory);
    try {
      const folder = folderOf(visit);
      const parked = folder === undefined ? [] : journal.backlog(folder).parked;
      return [
        found('ok', 'state.ok', `${named} can be written to; its journal is sound, no agent runs`),
        ...parkedFindings(parked),
      ];
    } finally {
      journal.close();
    }
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { kind, cause, remedy } = error.trouble;
    if (kind === 'held')
      return [
        found('warning', 'state.held', `${named} is in use by one that does not answer`, {
          evidence: cause,
          remedy,
        }),
      ];
    const level = kind === 'damaged' ? 'warning' : 'critical';
    return [
      found(level, 'state.journal', `the journal in ${named} cannot be used`, { evidence: cause, remedy }),
    ];
  }
}
