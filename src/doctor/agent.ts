import type { Status } from '../ports/status.ts';
import { keptFindings, parkedFindings } from '../services/assess-agent.ts';
import { uidOf } from './access.ts';
import { type Diagnosis, found } from './finding.ts';
import { folderOf } from './hung-places.ts';
import type { Visit } from './visit.ts';

/** What the agent that runs says keeps it from its work: it has tried for longer than we have. */
export async function agentFindings(agent: Status, visit: Visit): Promise<Diagnosis[]> {
  const { watchedDirectory, machine } = visit;
  const [own, its] = await Promise.all([
    uidOf(machine.proc, 'self'),
    agent.pid === undefined ? undefined : uidOf(machine.proc, agent.pid),
  ]);
  const other = own === its || its === undefined ? [] : [otherUser(agent.pid, its, own)];
  const isOurs = watchedDirectory === undefined || folderOf(visit) === agent.folder;
  const held = isOurs ? [] : [otherFolder(agent, watchedDirectory)];
  const said = `trainlogd ${agent.program} runs as process ${agent.pid} and holds ${JSON.stringify(agent.state)}`;
  const ok = found('ok', 'agent.ok', said);
  return [ok, ...held, ...other, ...keptFindings(agent), ...parkedFindings(agent.backlog.parked)];
}

function otherUser(pid: number | undefined, its: number, own: number | undefined): Diagnosis {
  const said = `the agent (process ${pid}) runs as uid ${its}, and doctor as uid ${own}: they may see different things`;
  const remedy = `run doctor as that user, with the environment of its unit: sudo -u '#${its}' trainlogd doctor`;
  return found('warning', 'agent.otherUser', said, { remedy });
}

function otherFolder({ folder, state }: Status, ours: string): Diagnosis {
  const said = `the agent that holds ${JSON.stringify(state)} watches ${JSON.stringify(folder)}, and this configuration ${JSON.stringify(ours)}`;
  const remedy =
    'give doctor the configuration of the agent (--config), or each folder its own state.directory';
  return found('critical', 'state.held', said, { remedy });
}
