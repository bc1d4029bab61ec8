import { isWithin } from '../config/paths.ts';
import { counted, type Diagnosis, found } from './finding.ts';
import type { Visit } from './visit.ts';

const unit = 'trainlogd.service';
const socketUnit = 'trainlogd-processes.socket';
/** What the package makes, of whom nothing else runs. */
const ownUser = 'trainlogd';
const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'UnitFileState',
  'EnvironmentFiles',
  'TimeoutStopUSec',
  'ProtectHome',
  'PrivateTmp',
  'BindPaths',
  'BindReadOnlyPaths',
  'NotifyAccess',
  'User',
  'RemoveIPC',
  'ProtectProc',
  'SocketUser',
] as const;

type Unit = Readonly<Partial<Record<(typeof properties)[number], string>>>;

/** Undefined where there is no such unit, or no systemd to ask. */
export async function underSystemd(visit: Visit): Promise<Diagnosis[] | undefined> {
  const names = [unit, socketUnit, `--property=${properties.join(',')}`];
  const said = await visit.machine.run('systemctl', ['show', ...names]);
  const [shown = {}, socket = {}] = (said ?? '').split('\n\n').map(shownUnit);
  if (shown.LoadState !== 'loaded') return undefined;
  return [
    ...running(shown),
    ...otherEnvironment(shown, visit),
    ...stopTimeout(shown, visit),
    ...hidden(shown, visit),
    ...unseenProcesses(shown, socket),
    ...sharedMemory(shown),
  ];
}

function shownUnit(block: string): Unit {
  return Object.fromEntries(block.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** The unit asks the socket, which answers its own user alone. */
function unseenProcesses({ ProtectProc, User = '' }: Unit, socket: Unit): Diagnosis[] {
  const { SocketUser = '', LoadState } = socket;
  if (ProtectProc !== 'invisible' || LoadState === undefined) return [];
  if (LoadState === 'loaded' && (SocketUser === User || User === '' || User === 'root')) return [];
  const said = `${unit} does not see when the process in a session.pid of another user is gone: ${
    LoadState === 'loaded' ? `${socketUnit} answers only "${SocketUser}"` : `${socketUnit} is not installed`
  }`;
  const remedy =
    LoadState === 'loaded'
      ? `systemctl edit ${socketUnit}, [Socket] SocketUser=${User}; systemctl restart ${socketUnit} ${unit}`
      : `install ${socketUnit} and what it starts beside the unit, or systemctl edit ${unit}, [Service] ProtectProc=default`;
  const evidence = `User=${User}, SocketUser=${SocketUser}`;
  return [found('warning', 'systemd.processesUnseen', said, { evidence, remedy })];
}

/** systemd removes what is left of the user's as soon as the service has ended, whosever process uses it. */
function sharedMemory({ User = '', RemoveIPC }: Unit): Diagnosis[] {
  if (RemoveIPC !== 'yes' || ['', 'root', ownUser].includes(User)) return [];
  const said = `when ${unit} stops, systemd removes the shared memory of "${User}", also that of trainings which run`;
  const remedy = `systemctl edit ${unit}, [Service] RemoveIPC=no`;
  return [
    found('critical', 'systemd.sharedMemory', said, { evidence: `RemoveIPC=yes, User=${User}`, remedy }),
  ];
}

function running({ ActiveState, SubState, Result, UnitFileState }: Unit): Diagnosis[] {
  const evidence = `ActiveState=${ActiveState}, SubState=${SubState}, Result=${Result}`;
  if (ActiveState === 'failed' || SubState === 'auto-restart') {
    const remedy = `read why: journalctl -u ${unit} -n 50; once it is mended: systemctl restart ${unit}`;
    return [found('critical', 'systemd.failed', `${unit} has failed and does not run`, { evidence, remedy })];
  }
  if (ActiveState === 'inactive') {
    const remedy = `systemctl enable --now ${unit}`;
    return [
      found('warning', 'systemd.stopped', `${unit} is installed and does not run`, { evidence, remedy }),
    ];
  }
  if (UnitFileState !== 'disabled') return [];
  const said = `${unit} is not started when this host boots`;
  const remedy = `systemctl enable ${unit}`;
  return [found('warning', 'systemd.disabled', said, { evidence: 'UnitFileState=disabled', remedy })];
}

/** What is in a shell is not in the unit, and the other way round. */
function otherEnvironment({ EnvironmentFiles }: Unit, { envFile, machine }: Visit): Diagnosis[] {
  const files = [...(EnvironmentFiles ?? '').matchAll(/(\/.*?) \(ignore_errors=\w+\)/g)].map(
    ([, file = '']) => file,
  );
  // systemd gives it to what it starts: then this is the unit's own environment.
  if (files.length === 0 || files.includes(envFile) || machine.env['INVOCATION_ID']) return [];
  const said = `${unit} reads its variables from ${files.join(', ')}, and doctor did not`;
  const remedy = `see what the unit sees: trainlogd doctor --env-file ${files.at(-1)}`;
  return [
    found('warning', 'systemd.environment', said, {
      evidence: `EnvironmentFiles=${EnvironmentFiles}`,
      remedy,
    }),
  ];
}

function stopTimeout({ TimeoutStopUSec: text, NotifyAccess }: Unit, { config }: Visit): Diagnosis[] {
  // Told to stop, the program asks for the time that it needs, where it is listened to.
  if (['main', 'exec', 'all'].includes(NotifyAccess ?? '')) return [];
  const stopMs = spanMs(text ?? '');
  const drainMs = config?.drain.timeoutMs;
  if (stopMs === undefined || drainMs === undefined || stopMs > drainMs) return [];
  const said = `${unit} is killed ${text} after it was told to stop, and drain.timeout is ${counted(Math.round(drainMs / 1000), 'second')}`;
  const remedy = `let TimeoutStopSec= be longer than drain.timeout: systemctl edit ${unit}, [Service] TimeoutStopSec=${Math.ceil(drainMs / 1000) + 30}`;
  return [found('warning', 'systemd.stopTimeout', said, { evidence: `TimeoutStopUSec=${text}`, remedy })];
}

const homes = /^\/(home|root|run\/user)(\/|$)/;
const temporary = /^\/(var\/)?tmp(\/|$)/;

/** What the unit's own view of the file system leaves out. */
function hidden(shown: Unit, { watchedDirectory: folder }: Visit): Diagnosis[] {
  const { ProtectHome, PrivateTmp } = shown;
  if (folder === undefined || boundPaths(shown).some((path) => isWithin(path, folder))) return [];
  const isHome = /^(yes|true|tmpfs)$/.test(ProtectHome ?? '') && homes.test(folder);
  const isTemporary = /^(yes|true|disconnected)$/.test(PrivateTmp ?? '') && temporary.test(folder);
  if (!isHome && !isTemporary) return [];
  const setting = isHome ? `ProtectHome=${ProtectHome}` : `PrivateTmp=${PrivateTmp}`;
  const said = `${unit} has ${setting}: it sees nothing of ${JSON.stringify(folder)}`;
  const other = isHome ? 'ProtectHome=read-only' : 'PrivateTmp=no';
  const remedy = `systemctl edit ${unit}, [Service] ${other}; or let the training write elsewhere`;
  return [found('critical', 'systemd.folderHidden', said, { evidence: setting, remedy })];
}

/** What is shown to the unit all the same. As systemd prints them: `-/home:/home:rbind /data:/srv/data:rbind`. */
function boundPaths({ BindPaths = '', BindReadOnlyPaths = '' }: Unit): string[] {
  const words = `${BindPaths} ${BindReadOnlyPaths}`.split(' ').filter((word) => word !== '');
  return words.map((word) => word.replace(/^-/, '').split(':')).map(([from = '', to = from]) => to);
}

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A span as systemd prints it: `1min 30s`; `infinity` is longer than all. */
function spanMs(text: string): number | undefined {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|min|s|h|d)\b/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, name]) => sum + Number(amount) * (unitMs[name ?? ''] ?? 0), 0);
}
